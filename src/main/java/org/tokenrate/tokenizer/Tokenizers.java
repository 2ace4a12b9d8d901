package org.tokenrate.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Finds and reads a model's tokenizer. */
public final class Tokenizers {
    private static final String JSON = "tokenizer.json";
    private static final String MODEL = "tokenizer.model";
    private static final String QWEN = "qwen.tiktoken";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String ADDED = "added_tokens.json";

    private static final int NAMES_SHOWN = 12;

    /** Enough to see whether a file is text. */
    private static final int HEAD_BYTES = 1024;

    private Tokenizers() {}

    /**
     * Reads the tokenizer of a model folder: {@code tokenizer.json} if there is one; otherwise
     * {@code tokenizer.model}, a SentencePiece model (Llama 2, InternLM) or tiktoken's ranks (Llama
     * 3), whichever it is; otherwise {@code qwen.tiktoken}. Beside them {@code
     * tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json} say
     * which special tokens stand around a text and which tokens are added.
     *
     * @throws IOException one sentence that names the file and what is wrong with it
     */
    public static Tokenizer load(Path modelFolder) throws IOException {
        if (!Files.exists(modelFolder)) {
            throw new IOException("there is no model folder " + modelFolder);
        }
        if (!Files.isDirectory(modelFolder)) {
            throw new IOException(
                    modelFolder
                            + " is not a folder; give the one that holds tokenizer.json or"
                            + " tokenizer.model");
        }
        Path json = modelFolder.resolve(JSON);
        if (Files.isRegularFile(json)) {
            return JsonTokenizer.read(json, modelFolder.resolve(CONFIG));
        }
        Path model = modelFolder.resolve(MODEL);
        if (Files.isRegularFile(model)) {
            TokenizerSettings settings = TokenizerSettings.read(modelFolder);
            return isText(model)
                    ? TiktokenTokenizer.read(model, TiktokenFamily.llama3(), settings)
                    : SentencePieceTokenizer.read(model, settings);
        }
        Path qwen = modelFolder.resolve(QWEN);
        if (Files.isRegularFile(qwen)) {
            return TiktokenTokenizer.read(
                    qwen, TiktokenFamily.qwen(), TokenizerSettings.read(modelFolder));
        }
        throw new IOException(
                "no tokenizer.json, tokenizer.model or qwen.tiktoken in "
                        + modelFolder
                        + ", which holds "
                        + names(modelFolder)
                        + besides(modelFolder));
    }

    /** A rank file is ASCII; a SentencePiece model has a score of four bytes after each piece. */
    private static boolean isText(Path file) throws IOException {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(HEAD_BYTES);
        }
        if (head.length == 0) throw new IOException(file + " is empty");
        String start = new String(head, StandardCharsets.ISO_8859_1);
        if (start.startsWith("version https://git-lfs")) {
            throw new IOException(
                    file + " is only Git LFS's pointer to the file; fetch that with git lfs pull");
        }
        return start.chars().allMatch(c -> c >= ' ' && c <= '~' || c == '\n' || c == '\r');
    }

    /** Meta's download puts Llama 2's tokenizer beside the folders of its models. */
    private static String besides(Path folder) {
        Path parent = folder.toAbsolutePath().normalize().getParent();
        return parent != null && Files.isRegularFile(parent.resolve("tokenizer.model"))
                ? "; the folder above holds a tokenizer.model: copy it here if it is this model's"
                : "";
    }

    /**
     * SHA-256 of the files that {@link #load} reads, by name, in lower-case hex: the same one means
     * the same tokens, another one may mean the same.
     */
    public static String sha256(Path modelFolder) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        String vocabulary =
                Stream.of(JSON, MODEL, QWEN)
                        .filter(name -> Files.isRegularFile(modelFolder.resolve(name)))
                        .findFirst()
                        .orElse(JSON);
        for (String name : List.of(vocabulary, CONFIG, "special_tokens_map.json", ADDED)) {
            Path file = modelFolder.resolve(name);
            if (!Files.isRegularFile(file)) continue;
            digest.update((name + " " + Files.size(file) + "\n").getBytes(StandardCharsets.UTF_8));
            digest.update(Files.readAllBytes(file));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Whether a folder holds a tokenizer of a kind that {@link #load} reads. */
    public static boolean holdsOne(Path modelFolder) {
        return Stream.of(JSON, MODEL, QWEN)
                .anyMatch(name -> Files.isRegularFile(modelFolder.resolve(name)));
    }

    private static String names(Path folder) throws IOException {
        List<String> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(p -> p.getFileName().toString()).sorted().toList();
        }
        if (names.isEmpty()) return "nothing";
        if (names.size() <= NAMES_SHOWN) return String.join(", ", names);
        return String.join(", ", names.subList(0, NAMES_SHOWN))
                + " and "
                + (names.size() - NAMES_SHOWN)
                + " more";
    }
}

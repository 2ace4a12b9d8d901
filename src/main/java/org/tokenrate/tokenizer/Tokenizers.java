package org.tokenrate.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Finds and reads a model's tokenizer. */
public final class Tokenizers {
    private static final int NAMES_SHOWN = 12;

    private Tokenizers() {}

    /**
     * Reads the tokenizer of a model folder: {@code tokenizer.json}, and {@code
     * tokenizer_config.json} where it decides on special tokens.
     *
     * @throws IOException one sentence that names the file and what is wrong with it
     */
    public static Tokenizer load(Path modelFolder) throws IOException {
        if (!Files.exists(modelFolder)) {
            throw new IOException("there is no model folder " + modelFolder);
        }
        if (!Files.isDirectory(modelFolder)) {
            throw new IOException(
                    modelFolder + " is not a folder; give the one that holds tokenizer.json");
        }
        Path json = modelFolder.resolve("tokenizer.json");
        if (!Files.isRegularFile(json)) {
            throw new IOException(
                    "no tokenizer.json in " + modelFolder + ", which holds " + names(modelFolder));
        }
        return JsonTokenizer.read(json, modelFolder.resolve("tokenizer_config.json"));
    }

    /** Whether a folder holds a tokenizer of a kind that {@link #load} reads. */
    public static boolean holdsOne(Path modelFolder) {
        return Files.isRegularFile(modelFolder.resolve("tokenizer.json"))
                || Files.isRegularFile(modelFolder.resolve("tokenizer.model"));
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

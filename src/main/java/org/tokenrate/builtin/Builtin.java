package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.ModelFormat;

/**
 * The model and the dialogues that come with the benchmark. Both are made on first use, without a
 * network, into a cache folder: the one that the system property {@code tokenrate.cache} names,
 * else {@code $XDG_CACHE_HOME/tokenrate}, else {@code ~/.cache/tokenrate}. The files are the same,
 * byte for byte, on every machine; their sizes and SHA-256 are in {@code manifest.txt} beside this
 * class, and a file in the cache that differs is made again.
 */
public final class Builtin {
    /** Inputs that share a scale in the model of 4 bits: AutoAWQ's default. */
    public static final int AWQ_GROUP_SIZE = 128;

    private static final String MODEL = "llama-15m/";
    private static final String META = "llama-15m-meta/";
    private static final String AWQ = "llama-15m-awq/";
    static final String AWQ_CONFIG = AWQ + "config.json";
    private static final String DIALOGUES = "dialogues.json";
    private static final int VERSION_DIGITS = 12;

    private Builtin() {}

    /** {@link #modelFolder(Path, ModelFormat)} in the default cache folder. */
    public static Path modelFolder(ModelFormat format) throws IOException {
        return modelFolder(Cache.defaultRoot(), format);
    }

    /**
     * The folder of a Llama model of 15 million random weights: in bf16 as Hugging Face and as Meta
     * lay them out, or of 4 bits as AutoAWQ does. It holds a tokenizer.json in every format.
     *
     * @param cacheRoot holds one folder for each version of what is built in
     * @throws IOException if the cache cannot be written; the message says how to choose another
     */
    public static Path modelFolder(Path cacheRoot, ModelFormat format) throws IOException {
        String model =
                switch (format) {
                    case HF -> MODEL;
                    case LLAMA -> META;
                    case AWQ -> AWQ;
                };
        return folder(cacheRoot, model);
    }

    /** A folder with the model's tokenizer, in the default cache folder: 29 MB less to check. */
    public static Path tokenizerFolder() throws IOException {
        return tokenizerFolder(Cache.defaultRoot());
    }

    static Path tokenizerFolder(Path cacheRoot) throws IOException {
        return folder(cacheRoot, MODEL + "tokenizer");
    }

    /** The folder of the artifacts whose names start so. */
    private static Path folder(Path cacheRoot, String start) throws IOException {
        Path folder = cacheRoot;
        for (Artifact artifact : artifacts()) {
            if (artifact.name().startsWith(start)) {
                folder = cache(cacheRoot).file(artifact).getParent();
            }
        }
        return folder;
    }

    /** The built-in model's config.json. */
    public static byte[] configJson() throws IOException {
        return Resources.bytes("config.json");
    }

    /** {@link #dialogues(Path)} in the default cache folder. */
    public static Path dialogues() throws IOException {
        return dialogues(Cache.defaultRoot());
    }

    /**
     * A JSON file of 6,000 dialogues in ShareGPT's shape.
     *
     * @param cacheRoot holds one folder for each version of what is built in
     * @throws IOException if the cache cannot be written; the message says how to choose another
     */
    public static Path dialogues(Path cacheRoot) throws IOException {
        for (Artifact artifact : artifacts()) {
            if (artifact.name().equals(DIALOGUES)) {
                return cache(cacheRoot).file(artifact);
            }
        }
        throw new IOException("manifest.txt names no " + DIALOGUES + ".");
    }

    /** The folder's name tells the content's version, so an older version is never taken for it. */
    private static Cache cache(Path cacheRoot) throws IOException {
        String digest = Digests.sha256(Resources.bytes("manifest.txt"));
        return new Cache(cacheRoot.resolve("builtin-" + digest.substring(0, VERSION_DIGITS)));
    }

    /** What manifest.txt lists: a line is SHA-256, size in bytes and name. */
    static List<Artifact> artifacts() throws IOException {
        var artifacts = new ArrayList<Artifact>();
        String manifest = new String(Resources.bytes("manifest.txt"), StandardCharsets.UTF_8);
        for (String line : manifest.lines().toList()) {
            String[] parts = line.split(" +");
            artifacts.add(
                    new Artifact(parts[2], Long.parseLong(parts[1]), parts[0], maker(parts[2])));
        }
        return artifacts;
    }

    static Artifact.Maker maker(String name) {
        return switch (name) {
            case DIALOGUES -> DialogueGenerator::write;
            case MODEL + "model.safetensors" -> RandomLlama::write;
            case META + "consolidated.00.pth" -> MetaLlama::write;
            case AWQ + "model.safetensors" -> AwqLlama::write;
            case AWQ_CONFIG -> AwqLlama::writeConfig;
            default ->
                    file ->
                            Files.write(
                                    file, Resources.bytes(name.substring(name.indexOf('/') + 1)));
        };
    }
}

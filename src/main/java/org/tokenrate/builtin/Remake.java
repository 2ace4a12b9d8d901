package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes the two generated resources again after a change to the phrases, the generator or the
 * model: the tokenizer, trained on the dialogues, and the manifest of all built-in files.
 *
 * <pre>mvn -q compile exec:java -Dexec.mainClass=org.tokenrate.builtin.Remake</pre>
 */
public final class Remake {
    private static final Path RESOURCES = Path.of("src/main/resources/org/tokenrate/builtin");

    private static final List<String> NAMES =
            List.of(
                    "dialogues.json",
                    "llama-15m/config.json",
                    "llama-15m/model.safetensors",
                    "llama-15m/tokenizer.json",
                    "llama-15m/tokenizer_config.json",
                    "llama-15m-meta/params.json",
                    "llama-15m-meta/consolidated.00.pth",
                    "llama-15m-meta/tokenizer.json",
                    "llama-15m-meta/tokenizer_config.json",
                    "llama-15m-awq/config.json",
                    "llama-15m-awq/model.safetensors",
                    "llama-15m-awq/tokenizer.json",
                    "llama-15m-awq/tokenizer_config.json");

    private Remake() {}

    public static void main(String[] args) throws IOException {
        byte[] tokenizer =
                TokenizerTraining.tokenizerJson(new DialogueGenerator(PhraseBank.load()).all());
        Files.write(RESOURCES.resolve("tokenizer.json"), tokenizer);

        Path folder = Files.createTempDirectory("tokenrate");
        var manifest = new StringBuilder();
        for (String name : NAMES) {
            // Resources are read from the source folder: the compiled copy is the old one.
            Path source = RESOURCES.resolve(Path.of(name).getFileName());
            Path file = folder.resolve(source.getFileName());
            if (Files.exists(source) && !name.equals(Builtin.AWQ_CONFIG)) {
                Files.copy(source, file);
            } else {
                Builtin.maker(name).write(file);
            }
            manifest.append(Digests.sha256(file)).append(' ').append(Files.size(file));
            manifest.append(' ').append(name).append('\n');
            Files.delete(file);
        }
        Files.delete(folder);
        Files.writeString(RESOURCES.resolve("manifest.txt"), manifest);
        System.out.print(manifest);
    }
}

package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.tokenrate.checkpoint.AwqWriter;

/** The built-in model with its layers rounded to 4 bits, as AutoAWQ lays them out. */
final class AwqLlama {
    private AwqLlama() {}

    static void writeConfig(Path file) throws IOException {
        Files.write(
                file,
                AwqWriter.config(file, Resources.bytes("config.json"), Builtin.AWQ_GROUP_SIZE));
    }

    static void write(Path file) throws IOException {
        Path folder = Files.createTempDirectory("tokenrate-awq");
        try {
            Path dense = Files.createDirectory(folder.resolve("dense"));
            Path awq = Files.createDirectory(folder.resolve("awq"));
            Files.write(dense.resolve("config.json"), Resources.bytes("config.json"));
            RandomLlama.write(dense.resolve("model.safetensors"));
            AwqWriter.convert(dense, awq, Builtin.AWQ_GROUP_SIZE);
            Files.move(awq.resolve("model.safetensors"), file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) Files.delete(file);
        }
    }
}

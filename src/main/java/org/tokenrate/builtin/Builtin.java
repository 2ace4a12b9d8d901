package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Minimal local version until the built-in model lands. */
public final class Builtin {
    private Builtin() {}

    public static Path modelFolder() throws IOException {
        return Files.createDirectories(
                Path.of(System.getProperty("java.io.tmpdir"), "tokenrate-local"));
    }

    public static Path dialogues() throws IOException {
        var json = new StringBuilder("[");
        for (int i = 0; i < 200; i++) {
            if (i > 0) json.append(",\n");
            json.append("{\"id\":\"d%d\",\"conversations\":[".formatted(i))
                    .append("{\"from\":\"human\",\"value\":\"")
                    .append("Say it again. ".repeat(1 + i % 7))
                    .append("\"},{\"from\":\"gpt\",\"value\":\"")
                    .append("Once more. ".repeat(1 + i * 13 % 11))
                    .append("\"}]}");
        }
        Path file = modelFolder().resolve("dialogues.json");
        Files.writeString(file, json.append("]\n"));
        return file;
    }
}

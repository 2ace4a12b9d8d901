package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;

/** A dataset for runs to which the dialogues do not matter: the built-in one is 13 MB to read. */
final class FewDialogues {
    /** More than any run of the tests asks for. */
    private static final int COUNT = 20;

    private FewDialogues() {}

    /** Writes {@code few.json} into a folder: dialogues of about 15 tokens each way. */
    static Path write(Path folder) throws IOException {
        var all = new StringJoiner(",\n", "[", "]\n");
        for (int i = 0; i < COUNT; i++) {
            all.add(
                    """
                    {"id": "%d", "conversations": [
                    {"from": "human", "value": "What would you say to number %d of us all?"},
                    {"from": "gpt", "value": "That it is a fine day to count to %d and back."}]}"""
                            .formatted(i, i, i + 3));
        }
        return Files.writeString(folder.resolve("few.json"), all.toString());
    }
}

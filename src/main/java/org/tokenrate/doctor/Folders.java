package org.tokenrate.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a folder can be written to, or made. */
final class Folders {
    private static final double GIB = 1L << 30;

    private Folders() {}

    static String describe(Path folder) {
        Path there = folder;
        while (there != null && !Files.exists(there)) there = there.getParent();
        if (there == null) return folder + ": cannot be made";
        String state = folder.equals(there) ? "" : "will be made; ";
        if (!Files.isDirectory(there)) return folder + ": " + there + " is not a folder";
        if (!Files.isWritable(there)) return folder + ": " + there + " cannot be written to";
        try {
            double free = Files.getFileStore(there).getUsableSpace() / GIB;
            return "%s: %s%.1f GiB free".formatted(folder, state, free);
        } catch (IOException e) {
            return folder + ": " + e.getMessage();
        }
    }
}

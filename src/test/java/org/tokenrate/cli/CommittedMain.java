package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Stands for the benchmarks.jar of a commit: its engine is the one that a file of the commit names.
 */
public final class CommittedMain {
    private CommittedMain() {}

    public static void main(String[] args) throws IOException {
        var all = new ArrayList<>(List.of(args));
        all.add("-p");
        all.add("engine=" + Files.readString(Path.of("engine")).strip());
        Main.main(all.toArray(String[]::new));
    }
}

package org.tokenrate.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The commit that a folder's work tree is on.
 *
 * @param commit short hash, or {@code nogit} where there is no commit or no git
 * @param dirty whether tracked files are changed, or files are neither tracked nor ignored
 */
public record GitState(String commit, boolean dirty) {
    static final GitState NONE = new GitState("nogit", false);

    /** Asks git; never fails. */
    public static GitState of(Path folder) throws IOException {
        try {
            String commit = git(folder, "rev-parse", "--short", "HEAD");
            if (commit.isEmpty()) return NONE;
            return new GitState(commit, !git(folder, "status", "--porcelain").isEmpty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return NONE;
        }
    }

    /** {@code 1a2b3c4} or {@code 1a2b3c4-dirty}. */
    public String name() {
        return dirty ? commit + "-dirty" : commit;
    }

    /** What git prints, or nothing if it fails or is not there. */
    private static String git(Path folder, String... arguments)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        Process git;
        try {
            git =
                    new ProcessBuilder(command)
                            .directory(folder.toAbsolutePath().toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
        } catch (IOException e) {
            return "";
        }
        git.getOutputStream().close();
        String output = new String(git.getInputStream().readAllBytes()).strip();
        return git.waitFor() == 0 ? output : "";
    }
}

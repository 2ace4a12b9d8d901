package org.tokenrate.interleave;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The git repository around a folder, of which commits are checked out elsewhere; its own work tree
 * is only read.
 */
final class Repository {
    private final Path root;

    private Repository(Path root) {
        this.root = root;
    }

    /**
     * @throws IOException if the folder is in no repository, or there is no git
     */
    static Repository around(Path folder) throws IOException {
        Path here = folder.toAbsolutePath().normalize();
        Output top = git(here, "rev-parse", "--show-toplevel");
        if (top.status != 0) {
            throw new IOException(
                    here
                            + " is in no git repository with a work tree, so it has no commits to run");
        }
        return new Repository(Path.of(top.text.strip()));
    }

    /**
     * The full hash of a commit.
     *
     * @param text hash, branch, tag or whatever git takes for a commit
     * @throws IOException if it is none, or several, in one sentence
     */
    String commit(String text) throws IOException {
        // What begins with a dash would be an option.
        Output hash = git(root, "rev-parse", "--verify", "--end-of-options", text + "^{commit}");
        if (hash.status == 0) return hash.text.strip();
        boolean several = hash.text.contains("ambiguous");
        throw new IOException(
                several
                        ? "'%s' may be several commits of %s; give more digits"
                                .formatted(text, root)
                        : "'%s' is no commit of %s".formatted(text, root));
    }

    String shortName(String commit) throws IOException {
        return required(root, "rev-parse", "--short", commit).strip();
    }

    /** Whether files were changed, or are neither tracked nor ignored. */
    boolean isDirty() throws IOException {
        return !required(root, "status", "--porcelain").isEmpty();
    }

    /** Makes a work tree of a commit at {@code folder}, which must not exist. */
    void checkOut(String commit, Path folder) throws IOException {
        // Hooks are the user's, for the user's own work tree.
        required(
                root,
                "-c",
                "core.hooksPath=/dev/null",
                "worktree",
                "add",
                "--quiet",
                "--detach",
                folder.toString(),
                commit);
    }

    /** Never fails: what is left is told by {@code git worktree list}. */
    void remove(Path folder) throws IOException {
        git(root, "worktree", "remove", "--force", "--force", folder.toString());
    }

    /** Repeats in a work tree of HEAD what is changed in this one and not committed. */
    void copyChanges(Path folder) throws IOException {
        Path patch = Files.createTempFile("tokenrate-changes-", ".patch");
        try {
            required(
                    root,
                    "diff",
                    "HEAD",
                    "--binary",
                    "--no-ext-diff",
                    "--no-textconv",
                    "--no-color",
                    "--output=" + patch);
            if (Files.size(patch) > 0) {
                required(folder, "apply", "--whitespace=nowarn", patch.toString());
            }
        } finally {
            Files.delete(patch);
        }
        String untracked = required(root, "ls-files", "--others", "--exclude-standard", "-z");
        for (String name : untracked.split("\0")) {
            if (name.isEmpty()) continue;
            Path copy = folder.resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(
                    root.resolve(name),
                    copy,
                    StandardCopyOption.COPY_ATTRIBUTES,
                    LinkOption.NOFOLLOW_LINKS);
        }
    }

    private record Output(int status, String text) {}

    private static String required(Path folder, String... arguments) throws IOException {
        Output output = git(folder, arguments);
        if (output.status == 0) return output.text;
        throw new IOException(
                "git %s failed: %s".formatted(String.join(" ", arguments), output.text.strip()));
    }

    private static Output git(Path folder, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        Process git;
        try {
            git =
                    new ProcessBuilder(command)
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .start();
        } catch (IOException e) {
            throw new IOException("git cannot be run: " + e.getMessage(), e);
        }
        try {
            git.getOutputStream().close();
            String text = new String(git.getInputStream().readAllBytes(), UTF_8);
            return new Output(git.waitFor(), text);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while git ran", e);
        }
    }
}

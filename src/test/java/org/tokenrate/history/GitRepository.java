package org.tokenrate.history;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A repository of empty commits, an hour apart from 2026-01-01 on. */
final class GitRepository {
    private static final long START = 1_767_225_600;
    private static final long HOUR = 3_600;

    private final Path folder;
    private int hours;

    GitRepository(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        git("init", "-q", "-b", "main");
    }

    /** Short hash of a new commit. */
    String commit(String subject) throws Exception {
        git("commit", "-q", "--allow-empty", "-m", subject);
        hours++;
        return git("rev-parse", "--short", "HEAD");
    }

    /** Short hash of a merge with a commit of its own. */
    String merge(String branch) throws Exception {
        git("merge", "-q", "--no-ff", "-m", "Merge " + branch, branch);
        hours++;
        return git("rev-parse", "--short", "HEAD");
    }

    String git(String... arguments) throws Exception {
        var command =
                new ArrayList<>(List.of("git", "-c", "user.name=a", "-c", "user.email=a@b.c"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        String date = START + hours * HOUR + " +0000";
        builder.environment().put("GIT_AUTHOR_DATE", date);
        builder.environment().put("GIT_COMMITTER_DATE", date);
        Process git = builder.redirectErrorStream(true).start();
        String out = new String(git.getInputStream().readAllBytes()).strip();
        if (git.waitFor() != 0) throw new IOException(command + ": " + out);
        return out;
    }
}

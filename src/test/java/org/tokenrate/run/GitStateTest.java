package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GitStateTest {
    @TempDir Path tree;

    @BeforeEach
    void commitAFile() throws Exception {
        assumeTrue(git("init", "-q") == 0, "git is installed");
        Files.writeString(tree.resolve("file"), "one");
        Files.writeString(tree.resolve(".gitignore"), "ignored\n");
        assertEquals(0, git("add", "."));
        assertEquals(0, git("commit", "-q", "-m", "first"));
    }

    @Test
    void aCleanTreeIsItsCommit() throws IOException {
        GitState state = GitState.of(tree);
        assertTrue(state.commit().matches("[0-9a-f]{7,}"), state.commit());
        assertFalse(state.dirty());
        assertEquals(state.commit(), state.name());
    }

    @Test
    void aChangedFileMakesItDirty() throws IOException {
        Files.writeString(tree.resolve("file"), "two");
        assertTrue(GitState.of(tree).dirty());
        assertTrue(GitState.of(tree).name().endsWith("-dirty"));
    }

    @Test
    void anUntrackedFileMakesItDirty() throws IOException {
        Files.writeString(tree.resolve("new"), "new");
        assertTrue(GitState.of(tree).dirty());
    }

    @Test
    void anIgnoredFileDoesNot() throws IOException {
        Files.writeString(tree.resolve("ignored"), "ignored");
        assertFalse(GitState.of(tree).dirty());
    }

    @Test
    void aFolderOutsideGitHasNoCommit(@TempDir Path elsewhere) throws IOException {
        assertEquals("nogit", GitState.of(elsewhere).name());
    }

    private int git(String... arguments) throws IOException, InterruptedException {
        var command =
                new ArrayList<>(
                        List.of("git", "-c", "user.name=a", "-c", "user.email=a@example.org"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).directory(tree.toFile()).inheritIO().start().waitFor();
    }
}

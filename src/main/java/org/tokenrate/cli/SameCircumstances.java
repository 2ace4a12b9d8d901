package org.tokenrate.cli;

import java.io.IOException;
import org.tokenrate.run.GitState;
import org.tokenrate.run.Libraries;
import org.tokenrate.run.Machine;
import org.tokenrate.run.Program;
import org.tokenrate.run.RunRecord;

/** A run goes on only with the program, the Java and the machine that it began with. */
final class SameCircumstances {
    private static final double GIB = 1 << 30;

    private SameCircumstances() {}

    /**
     * @throws IllegalArgumentException for the first thing that is not as it was, in one sentence
     */
    static void require(RunRecord then, GitState git) throws IOException {
        require("commit", new GitState(then.commit(), then.dirty()).name(), git.name());
        Machine m = Machine.here();
        require("machine", machine(then.machine()), machine(m));
        require("Java", then.jvm().toString(), RunCommand.jvm().toString());
        require("libraries", then.libraries().toString(), Libraries.versions().toString());
        if (!then.program().equals(Program.sha256())) {
            throw Resumable.refused("this build of tokenrate is not the one that it began with");
        }
    }

    /** Memory is what the system has left of it, which differs a little from start to start. */
    private static String machine(Machine m) {
        return "%s, %s, %s, %d cores, %.0f GiB"
                .formatted(m.os(), m.arch(), m.cpu(), m.cores(), m.memoryBytes() / GIB);
    }

    private static void require(String what, String then, String now) {
        if (then.equals(now)) return;
        throw Resumable.refused(
                "its %s was %s, this one is %s".formatted(what, Texts.plain(then, 200), now));
    }
}

package org.tokenrate.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.tokenrate.run.RunRecord.Combination;

/** What JMH is told: what the user asked for, and what the forks need besides. */
final class ForkOptions {
    private static final String OUR_PROPERTIES = "tokenrate.";

    /** From this Java on, native code that loads without the flag brings warnings. */
    private static final int NATIVE_ACCESS_SINCE = 22;

    /** From this Java on, JMH's own use of Unsafe may bring warnings, and there is a flag. */
    private static final int UNSAFE_FLAG_SINCE = 23;

    private ForkOptions() {}

    /** Everything that the user asked for. */
    static Options all(Options jmh) {
        return with(jmh).build();
    }

    /** One combination of it. */
    static Options of(Options jmh, Combination c) {
        ChainedOptionsBuilder options = with(jmh);
        options.include("^" + Pattern.quote(c.benchmark()) + "$");
        c.params().forEach((name, value) -> options.param(name, value));
        return options.build();
    }

    private static ChainedOptionsBuilder with(Options jmh) {
        var prepend = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector"));
        if (Runtime.version().feature() >= NATIVE_ACCESS_SINCE) {
            prepend.add("--enable-native-access=ALL-UNNAMED");
        }
        if (Runtime.version().feature() >= UNSAFE_FLAG_SINCE) {
            prepend.add("--sun-misc-unsafe-memory-access=allow");
        }
        prepend.addAll(jmh.getJvmArgsPrepend().orElse(List.of()));
        var append = new ArrayList<>(jmh.getJvmArgsAppend().orElse(List.of()));
        new TreeMap<>(System.getProperties())
                .forEach(
                        (name, value) -> {
                            if (name.toString().startsWith(OUR_PROPERTIES)) {
                                append.add("-D" + name + "=" + value);
                            }
                        });
        return new OptionsBuilder()
                .parent(jmh)
                .jvmArgsPrepend(prepend.toArray(String[]::new))
                .jvmArgsAppend(append.toArray(String[]::new))
                .addProfiler(OwnProfilers.WORKLOAD);
    }
}

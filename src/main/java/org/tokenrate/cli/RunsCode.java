package org.tokenrate.cli;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.tokenrate.run.RunRecord;

/**
 * Arguments of JMH's that can run any program or write any file. {@code run.json} is a file like
 * others, which may have come from anywhere: it alone must not start them.
 */
final class RunsCode {
    private RunsCode() {}

    /**
     * @param run the arguments that {@code run.json} holds
     * @param given what the user has given beside {@code --resume}
     * @throws IllegalArgumentException if the user has not given such arguments again, or has given
     *     other ones than the run's, in one sentence
     */
    static void requireAgreed(
            Options run, Arguments given, CommandLineOptions givenJmh, RunRecord record) {
        List<String> arguments = Arguments.parse(record.arguments()).jmh();
        for (String arg : given.jmh()) {
            if (!arguments.contains(arg)) {
                throw new IllegalArgumentException(
                        "--resume goes on with the run's own arguments, and "
                                + arg
                                + " is none of them; start a new run for other ones");
            }
        }
        Map<String, String> agreed = of(givenJmh);
        of(run).forEach(
                        (option, value) -> {
                            if (value.equals(agreed.get(option))) return;
                            throw new IllegalArgumentException(
                                    "the run's %s %s could run any program or write any file; if you trust its run.json, give it again beside --resume"
                                            .formatted(option, Texts.plain(value, 200)));
                        });
    }

    private static Map<String, String> of(Options o) {
        var all = new LinkedHashMap<String, String>();
        if (o.getJvm().hasValue()) all.put("-jvm", o.getJvm().get());
        put(all, "-jvmArgs", o.getJvmArgs().orElse(List.of()));
        put(all, "-jvmArgsPrepend", o.getJvmArgsPrepend().orElse(List.of()));
        put(all, "-jvmArgsAppend", o.getJvmArgsAppend().orElse(List.of()));
        put(
                all,
                "-prof",
                o.getProfilers().stream()
                        .filter(p -> !OwnProfilers.isHarmless(p.getKlass()))
                        .map(p -> p.getKlass() + ":" + p.getOpts())
                        .toList());
        if (o.getOutput().hasValue()) all.put("-o", o.getOutput().get());
        if (o.getResult().hasValue()) all.put("-rff", o.getResult().get());
        if (o.getResultFormat().hasValue()) all.put("-rf", o.getResultFormat().get().name());
        return all;
    }

    private static void put(Map<String, String> all, String option, Collection<String> values) {
        if (!values.isEmpty()) all.put(option, String.join(" ", values));
    }
}

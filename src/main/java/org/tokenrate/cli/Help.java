package org.tokenrate.cli;

import picocli.CommandLine;

/** What {@code -h} shows before JMH's own help. */
final class Help {
    private static final String USAGE =
            """
            tokenrate: token and request throughput of LLM inference engines, measured with JMH.

              java -jar benchmarks.jar [regexp] [-p name=value,value]... [JMH options] [--results DIR]
              java -jar benchmarks.jar --resume [FOLDER]
              java -jar benchmarks.jar SUBCOMMAND ...

            Subcommands (SUBCOMMAND --help shows more)
            """;

    private static final String REST =
            """

            Examples
              a quick sweep          RequestThroughput -p concurrency=1,16,64 -p numPrompts=64
              a real model, ShareGPT RequestThroughput -p model=models/my-llama -p dataset=sharegpt.json
              two forks of five      RequestThroughput -f 2 -i 5
              every parameter        -lp RequestThroughput
              garbage collection too RequestThroughput -p numPrompts=64 -prof gc
              where the time goes    RequestThroughput -p numPrompts=64 -prof stages

            One iteration is one whole workload of numPrompts requests. Results go to
            results/COMMIT/START/ (--results DIR for another base): throughput.csv, iterations.csv,
            jmh.json, run.json and requests-*.jsonl. --resume goes on with a run that was stopped: with
            FOLDER's, or the newest unfinished one of this commit. Without arguments everything runs, with
            defaults.
            Exit status: 0 all went well, 1 a run, a request or a gate failed, 2 the arguments or the
            files they name are wrong. -Dtokenrate.trace=true before -jar shows where an error comes from.

            JMH's own options:
            """;

    private Help() {}

    static String text() {
        CommandLine root = RootCommand.commandLine();
        return USAGE + root.getHelp().commandList() + REST;
    }
}

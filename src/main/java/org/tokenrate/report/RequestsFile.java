package org.tokenrate.report;

import java.util.List;

/** The names of the files that hold every request of one iteration, and what stands beside it. */
public final class RequestsFile {
    private static final String PREFIX = "requests-";
    private static final String SUFFIX = ".jsonl";
    private static final String BINNED = ".binned.json";
    private static final String ENGINE = ".engine.csv";

    /** How the names of the files of an iteration end. */
    public static final List<String> KINDS = List.of(SUFFIX, BINNED, ENGINE);

    private RequestsFile() {}

    /**
     * {@code requests-COMBINATION-FORK-ITERATION.jsonl}.
     *
     * @param combination the swept parameters, e.g. {@code concurrency=16}
     * @param fork from 1
     * @param iteration measured iteration in its fork, from 1
     */
    public static String name(String combination, int fork, int iteration) {
        return prefix(combination, fork) + iteration + SUFFIX;
    }

    /** Whether a file of this name holds requests, or stands beside one that does. */
    public static boolean isOne(String name) {
        return name.startsWith(PREFIX) && KINDS.stream().anyMatch(name::endsWith);
    }

    /** The name of the file of requests that {@link #isOne} of them is, or stands beside. */
    public static String requestsOf(String name) {
        for (String kind : KINDS) {
            if (name.endsWith(kind)) {
                return name.substring(0, name.length() - kind.length()) + SUFFIX;
            }
        }
        throw new IllegalArgumentException(name + " is no file of requests");
    }

    /** Beside it: the histograms and series that a report shows of it. */
    public static String binned(String requestsFile) {
        return stem(requestsFile) + BINNED;
    }

    /** Beside it: the engine's counters from time to time, of an engine with a KV pool. */
    public static String engine(String requestsFile) {
        return stem(requestsFile) + ENGINE;
    }

    private static String stem(String requestsFile) {
        return requestsFile.substring(0, requestsFile.length() - SUFFIX.length());
    }

    /** What the names of all files of one fork start with. */
    public static String prefix(String combination, int fork) {
        return PREFIX + combination + "-" + fork + "-";
    }
}

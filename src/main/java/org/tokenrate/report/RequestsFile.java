package org.tokenrate.report;

/** The name of the file that holds every request of one iteration. */
public final class RequestsFile {
    private static final String PREFIX = "requests-";
    private static final String SUFFIX = ".jsonl";

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

    /** Whether a file of this name holds requests. */
    public static boolean isOne(String name) {
        return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
    }

    /** What the names of all files of one fork start with. */
    public static String prefix(String combination, int fork) {
        return PREFIX + combination + "-" + fork + "-";
    }
}

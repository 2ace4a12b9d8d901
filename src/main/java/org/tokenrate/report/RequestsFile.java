package org.tokenrate.report;

/** The name of the file that holds every request of one iteration. */
public final class RequestsFile {
    private RequestsFile() {}

    /**
     * {@code requests-COMBINATION-FORK-ITERATION.jsonl}.
     *
     * @param combination the swept parameters, e.g. {@code concurrency=16}
     * @param fork from 1
     * @param iteration measured iteration in its fork, from 1
     */
    public static String name(String combination, int fork, int iteration) {
        return prefix(combination, fork) + iteration + ".jsonl";
    }

    /** What the names of all files of one fork start with. */
    public static String prefix(String combination, int fork) {
        return "requests-" + combination + "-" + fork + "-";
    }
}

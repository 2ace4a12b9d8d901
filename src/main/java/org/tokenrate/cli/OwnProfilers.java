package org.tokenrate.cli;

/** JMH profilers of our own. JMH knows those that are not its own by their class's name only. */
final class OwnProfilers {
    /** Added to every run. */
    static final String WORKLOAD = "org.tokenrate.bench.WorkloadProfiler";

    private static final String STAGES = "stages";
    private static final String STAGES_CLASS = "org.tokenrate.bench.StagesProfiler";

    private OwnProfilers() {}

    /**
     * @param name as given after {@code -prof}
     * @return what JMH knows it by
     */
    static String className(String name) {
        return name.equals(STAGES) ? STAGES_CLASS : name;
    }

    /** Whether it runs no other program and writes no file. */
    static boolean isHarmless(String className) {
        return className.equals(STAGES_CLASS);
    }
}

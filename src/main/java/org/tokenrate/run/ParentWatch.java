package org.tokenrate.run;

/** Ends a fork whose run is gone: nobody would hear of its results, and it would disturb others. */
final class ParentWatch {
    /** As of a process that SIGKILL ended, which is how its run most likely ended. */
    private static final int STATUS = 137;

    private ParentWatch() {}

    /**
     * Starts to watch, which costs a system call every few seconds.
     *
     * @param pid of the run's JVM; this one's own if it does not fork
     */
    static void start(long pid) {
        if (pid == ProcessHandle.current().pid()) return;
        ProcessHandle.of(pid)
                .ifPresentOrElse(
                        parent -> parent.onExit().thenRun(ParentWatch::end), ParentWatch::end);
    }

    /** Without shutdown hooks: JMH's would wait for the one that is gone. */
    private static void end() {
        Runtime.getRuntime().halt(STATUS);
    }
}

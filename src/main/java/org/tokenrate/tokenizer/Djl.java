package org.tokenrate.tokenizer;

/** DJL's native libraries come out of its jars: nothing is fetched and nothing reported. */
final class Djl {
    private Djl() {}

    /**
     * To be called before the first of DJL's classes is: it reports each start to its makers, and
     * fetches native libraries for GPUs, unless told not to.
     */
    static void stayOffline() {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }
}

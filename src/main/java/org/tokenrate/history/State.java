package org.tokenrate.history;

import java.time.Instant;

/**
 * A state of the source that was measured.
 *
 * @param name a commit's folder in the results, e.g. {@code 1a2b3c4-dirty}
 * @param time of the commit, or of the first run where the commit is not known
 * @param subject first line of the commit's message; empty if that is not known
 */
public record State(String name, Kind kind, Instant time, String subject) {

    /** How its place in the order is known. */
    public enum Kind {
        COMMIT("commit"),
        ELSEWHERE("not in the history of HEAD: placed by the time of the commit"),
        DIRTY("changed work tree: placed by the time of the run"),
        UNKNOWN("commit not known here: placed by the time of the run"),
        NO_GIT("no commit: placed by the time of the run");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        public String words() {
            return words;
        }
    }
}

package org.tokenrate.compare;

/** What can be said of the candidate's figure. */
public enum Verdict {
    FASTER("faster"),
    SLOWER("slower"),
    NO_DIFFERENCE("no difference seen"),
    /** No change, however large, could have been told from noise. */
    TOO_FEW("too few forks"),
    /** A side has no such figure, as where answers come whole, or one of zero. */
    NOT_MEASURED("not measured");

    private final String words;

    Verdict(String words) {
        this.words = words;
    }

    /** As tables show it. */
    public String words() {
        return words;
    }
}

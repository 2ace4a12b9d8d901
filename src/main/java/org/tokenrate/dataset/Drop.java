package org.tokenrate.dataset;

/** Why LMDeploy's rules leave a dialogue out. */
public enum Drop {
    SHORT_PROMPT("prompt under 4 tokens"),
    LONG_PROMPT("prompt over 1,024 tokens"),
    SHORT_ANSWER("answer under 4 tokens"),
    LONG_TOGETHER("prompt and answer over 2,048 tokens together"),
    NO_PROMPT("no prompt");

    private final String reason;

    Drop(String reason) {
        this.reason = reason;
    }

    /** For people. */
    public String reason() {
        return reason;
    }
}

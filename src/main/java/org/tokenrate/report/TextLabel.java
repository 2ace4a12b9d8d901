package org.tokenrate.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.Optional;

/**
 * Text inside JMH's json, which has room for numbers only: the text goes into a secondary metric's
 * label, as {@code kind.name=text} or {@code kind=text}, and its score is 1 or a count. JMH writes
 * labels unescaped, hence the URL encoding. So a {@code jmh.json} says by itself which engine and
 * device it was measured on, and no second file can be lost or mixed up.
 *
 * @param kind {@code info.NAME} or {@code error}
 * @param text the text, decoded
 */
public record TextLabel(String kind, String text) {
    private static final String INFO = "info.";
    private static final String ERROR = "error";

    /** A fact of the trial, e.g. {@code info("device", "2 x Xeon")}; its score is 1. */
    public static String info(String name, String text) {
        return encode(INFO + name, text);
    }

    /** A failed request's message; its score is how many requests failed with it. */
    public static String error(String message) {
        return encode(ERROR, message);
    }

    static Optional<TextLabel> parse(String label) {
        int equals = label.indexOf('=');
        if (equals < 0) return Optional.empty();
        String kind = label.substring(0, equals);
        if (!kind.startsWith(INFO) && !kind.equals(ERROR)) return Optional.empty();
        return Optional.of(new TextLabel(kind, decode(label.substring(equals + 1))));
    }

    boolean isError() {
        return kind.equals(ERROR);
    }

    /** The fact's name; only for facts. */
    String name() {
        return kind.substring(INFO.length());
    }

    /** What is not encoded as we do it is taken as it is. */
    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    private static String encode(String kind, String text) {
        return kind + "=" + URLEncoder.encode(text, UTF_8);
    }
}

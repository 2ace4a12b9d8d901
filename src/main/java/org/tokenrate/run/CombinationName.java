package org.tokenrate.run;

import static java.util.stream.Collectors.joining;

import java.util.List;
import java.util.function.UnaryOperator;

/** A short name for a parameter combination that is fit for a file's name. */
final class CombinationName {
    private static final int LONGEST_VALUE = 40;

    private CombinationName() {}

    /** E.g. {@code concurrency=16,tp=2}; {@code all} if nothing is swept. */
    static String of(List<String> swept, UnaryOperator<String> value) {
        if (swept.isEmpty()) return "all";
        return swept.stream().map(p -> p + "=" + plain(value.apply(p))).collect(joining(","));
    }

    /** The value itself if it is short and plain, else a like text told apart by a hash. */
    private static String plain(String value) {
        String plain = value.replaceAll("[^A-Za-z0-9._+]", "_");
        if (plain.equals(value) && plain.length() <= LONGEST_VALUE) return value;
        String end = plain.substring(Math.max(0, plain.length() - LONGEST_VALUE));
        return end + "~" + Integer.toHexString(value.hashCode());
    }
}

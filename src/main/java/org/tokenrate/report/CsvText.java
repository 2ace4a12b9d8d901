package org.tokenrate.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.stream.Collectors;

/** Lines and fields of a CSV file after RFC 4180, the same in every locale. */
public final class CsvText {
    /** More digits than a clock gives, few enough to read. */
    private static final MathContext DIGITS = new MathContext(9);

    private static final double LARGEST_EXACT = 1L << 53;

    private CsvText() {}

    public static String line(List<String> fields) {
        return fields.stream().map(CsvText::quoted).collect(Collectors.joining(",", "", "\n"));
    }

    /** Nine significant digits, whole numbers in full, never an exponent; empty for NaN. */
    public static String number(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) return "";
        if (value == Math.rint(value) && Math.abs(value) < LARGEST_EXACT) {
            return Long.toString((long) value);
        }
        return BigDecimal.valueOf(value).round(DIGITS).stripTrailingZeros().toPlainString();
    }

    private static String quoted(String field) {
        boolean plain =
                field.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? field : '"' + field.replace("\"", "\"\"") + '"';
    }
}

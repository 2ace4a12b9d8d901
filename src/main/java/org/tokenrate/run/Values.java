package org.tokenrate.run;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Parameter values as text, checked one at a time. Every error has the value, range and example.
 */
final class Values {
    private final UnaryOperator<String> text;
    private final ParameterStyle style;

    Values(UnaryOperator<String> text, ParameterStyle style) {
        this.text = text;
        this.style = style;
    }

    String text(String name, String example) {
        String value = text.apply(name);
        if (value.isBlank()) throw bad(name, "must not be empty", example);
        return value;
    }

    String oneOf(String name, List<String> choices) {
        String value = text.apply(name);
        if (!choices.contains(value)) {
            throw bad(name, "must be one of " + String.join(", ", choices), choices.get(0));
        }
        return value;
    }

    boolean bool(String name) {
        return oneOf(name, List.of("true", "false")).equals("true");
    }

    int integer(String name, int least, int most, String example) {
        try {
            int value = Integer.parseInt(text.apply(name));
            if (value >= least && value <= most) return value;
        } catch (NumberFormatException e) {
            // Falls through: text that is no number and a number out of range get the same answer.
        }
        throw bad(name, "must be from " + least + " to " + most, example);
    }

    long wholeNumber(String name, String example) {
        try {
            return Long.parseLong(text.apply(name));
        } catch (NumberFormatException e) {
            throw bad(name, "must be a whole number of 64 bits", example);
        }
    }

    int powerOfTwo(String name, int most, String example) {
        String range = "must be a power of two from 1 to " + most;
        try {
            int value = Integer.parseInt(text.apply(name));
            if (value >= 1 && value <= most && Integer.bitCount(value) == 1) return value;
        } catch (NumberFormatException e) {
            // As above.
        }
        throw bad(name, range, example);
    }

    /** A number in the interval, whose ends belong to it or not. */
    double number(
            String name, double low, boolean lowIn, double high, boolean highIn, String example) {
        try {
            double value = Double.parseDouble(text.apply(name));
            boolean above = lowIn ? value >= low : value > low;
            boolean below = highIn ? value <= high : value < high;
            if (above && below) return value;
        } catch (NumberFormatException e) {
            // As above.
        }
        String range =
                "must be a number in "
                        + (lowIn ? "[" : "(")
                        + plain(low)
                        + ", "
                        + plain(high)
                        + (highIn ? "]" : ")");
        throw bad(name, range, example);
    }

    IllegalArgumentException bad(String name, String range, String example) {
        return new IllegalArgumentException(
                style.given(name, text.apply(name))
                        + " "
                        + range
                        + ", e.g. "
                        + style.example(name, example));
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}

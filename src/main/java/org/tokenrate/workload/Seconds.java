package org.tokenrate.workload;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;

/** Nanoseconds as decimal seconds and back, exactly. Reuses its buffer: not thread-safe. */
final class Seconds {
    private static final int DECIMALS = 9;

    private final char[] buffer = new char[24];

    /** Writes e.g. 1200 as 0.000001200: by hand, since a file holds millions of them. */
    void write(JsonGenerator json, long nanos) throws IOException {
        if (nanos < 0) throw new IllegalArgumentException(nanos + " ns is before the start");
        int at = buffer.length;
        long rest = nanos;
        for (int i = 0; i < DECIMALS; i++) {
            buffer[--at] = (char) ('0' + rest % 10);
            rest /= 10;
        }
        buffer[--at] = '.';
        do {
            buffer[--at] = (char) ('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        json.writeNumber(buffer, at, buffer.length - at);
    }

    /**
     * Reads any JSON number.
     *
     * @throws IllegalArgumentException if it is no whole number of nanoseconds
     */
    static long parse(char[] text, int offset, int length) {
        int dot = length - 1 - DECIMALS;
        // As write() leaves it, and short enough not to overflow.
        if (dot > 0 && length <= 19 && text[offset + dot] == '.') {
            long nanos = 0;
            boolean plain = true;
            for (int i = 0; i < length; i++) {
                if (i == dot) continue;
                int digit = text[offset + i] - '0';
                plain &= digit >= 0 && digit <= 9;
                nanos = nanos * 10 + digit;
            }
            if (plain) return nanos;
        }
        String number = new String(text, offset, length);
        try {
            return new BigDecimal(number).movePointRight(DECIMALS).longValueExact();
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException(
                    number + " is not a time in seconds with at most nine decimals");
        }
    }
}

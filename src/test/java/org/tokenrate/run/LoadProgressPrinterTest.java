package org.tokenrate.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LoadProgressPrinterTest {
    private static final long SECOND = 1_000_000_000L;

    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private final AtomicLong clock = new AtomicLong(77);
    private final LoadProgressPrinter printer =
            new LoadProgressPrinter(
                    new PrintStream(text, true, UTF_8), "models/llama3-8b", clock::get);

    private void at(double seconds, long loaded, long total) {
        clock.set(77 + (long) (seconds * SECOND));
        printer.onLoaded(loaded, total);
    }

    private List<String> lines() {
        return text.toString(UTF_8).lines().toList();
    }

    @Test
    void aLoadUnderASecondPrintsNothing() {
        at(0, 1, 10);
        at(0.5, 5, 10);
        at(0.99, 10, 10);
        assertEquals(List.of(), lines());
    }

    @Test
    void aLineSaysHowMuchHowFastAndHowLong() {
        at(2.5, 3_000_000_000L, 15_000_000_000L);
        assertEquals(
                List.of("      loading llama3-8b: 3.0 of 15.0 GB, 1.2 GB/s, 10 s left"), lines());
    }

    @Test
    void linesAreASecondApart() {
        for (int i = 0; i <= 400; i++) at(i / 100.0, i * 10_000_000L, 4_000_000_000L);
        assertEquals(4, lines().size(), lines().toString());
    }

    @Test
    void whatIsLeftIsNotSaidWhereTheTotalIsUnknown() {
        at(2, 3_000_000_000L, 0);
        assertEquals(List.of("      loading llama3-8b: 3.0 GB, 1.5 GB/s"), lines());
    }
}

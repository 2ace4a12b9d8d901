package org.tokenrate.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class CsvTextTest {
    @Test
    void aFieldWithACommaAQuoteOrALineBreakIsQuoted() {
        assertEquals(
                "plain,\"Xeon, 2 cores\",\"a \"\"b\"\"\",\"two\nlines\",\n",
                CsvText.line(List.of("plain", "Xeon, 2 cores", "a \"b\"", "two\nlines", "")));
    }

    @Test
    void aNumberHasNineDigitsAndNoExponent() {
        assertEquals("0.000000123456789", CsvText.number(1.23456789012e-7));
        assertEquals("1234567.89", CsvText.number(1234567.891));
        assertEquals("0.5", CsvText.number(0.5));
    }

    @Test
    void aWholeNumberIsWrittenInFull() {
        assertEquals("123456789012345", CsvText.number(123456789012345.0));
        assertEquals("0", CsvText.number(0));
    }

    @Test
    void whatIsNotThereIsEmpty() {
        assertEquals("", CsvText.number(Double.NaN));
        assertEquals("", CsvText.number(Double.POSITIVE_INFINITY));
    }
}

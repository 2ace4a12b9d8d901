package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatasetNameTest {
    @Test
    void aPlainNameIsAFileOrBuiltin() {
        assertEquals(new DatasetName(RequestLengths.OWN, "builtin"), DatasetName.parse("builtin"));
        assertEquals(
                new DatasetName(RequestLengths.OWN, "a@b/c:d.json"),
                DatasetName.parse("a@b/c:d.json"));
    }

    @Test
    void lengthsStandBeforeTheFile() {
        assertEquals(
                new DatasetName(new RequestLengths.FixedOutput(128), "builtin"),
                DatasetName.parse("output:128"));
        assertEquals(
                new DatasetName(new RequestLengths.Drawn(512, 128, 0), "builtin"),
                DatasetName.parse("random:512/128"));
        assertEquals(
                new DatasetName(new RequestLengths.Drawn(512, 128, 0.25), "d/a@b,c.json"),
                DatasetName.parse("random:512/128/0.25@d/a@b,c.json"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "output:",
                "output:3",
                "output:x",
                "output:-5",
                "output:1000001",
                "output:99999999999",
                "output:5@",
                "random:",
                "random:5",
                "random:0/5",
                "random:5/0",
                "random:5/5/1.01",
                "random:5/5/-1",
                "random:5/5/NaN",
                "random:5/5/",
                "random:5/5/1/1",
                "random:1000001/5",
                "random:5/5@"
            })
    void whatIsNoLengthIsRefused(String text) {
        var e = assertThrows(IllegalArgumentException.class, () -> DatasetName.parse(text));
        assertTrue(e.getMessage().startsWith("must "), e.getMessage());
    }
}

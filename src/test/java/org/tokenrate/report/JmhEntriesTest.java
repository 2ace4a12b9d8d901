package org.tokenrate.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On what JMH wrote of a real run. */
class JmhEntriesTest {
    @TempDir Path folder;

    @Test
    void entriesPutTogetherAreTheFileThatJmhWrote() throws IOException {
        Path json = recorded();
        assertEquals(Files.readString(json), JmhEntries.text(JmhEntries.read(json)));
    }

    @Test
    void entriesOfTwoFilesMakeOneFileOfBoth() throws IOException {
        List<JmhEntries.Entry> all = JmhEntries.read(recorded());
        var rest = new ArrayList<JmhEntries.Entry>();
        for (JmhEntries.Entry e : all) rest.addAll(JmhEntries.parse(JmhEntries.text(List.of(e))));
        assertEquals(all, rest);
    }

    private Path recorded() throws IOException {
        Path json = folder.resolve("jmh.json");
        try (InputStream in = JmhEntriesTest.class.getResourceAsStream("jmh.json")) {
            Files.copy(in, json);
        }
        return json;
    }
}

package org.tokenrate.report;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The entries of a {@code jmh.json}, each in the very text that JMH wrote: what several sittings
 * measured can stand in one file without a digit changed.
 */
public final class JmhEntries {
    private JmhEntries() {}

    /** An entry: its text, and what that says. */
    public record Entry(String text, JmhResult result) {}

    /**
     * @throws IOException if the file is missing, is not JMH's json or holds no result, in one
     *     sentence
     */
    public static List<Entry> read(Path file) throws IOException {
        return of(Files.readString(file), JmhJson.read(file));
    }

    /** Of JMH's json in memory. */
    public static List<Entry> parse(String json) throws IOException {
        Path name = Path.of("JMH's result");
        return of(json, JmhJson.results(new ObjectMapper().readTree(json), name));
    }

    private static List<Entry> of(String text, List<JmhResult> results) throws IOException {
        var entries = new ArrayList<Entry>();
        try (var json = new JsonFactory().createParser(text)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.START_OBJECT) {
                int start = (int) json.currentTokenLocation().getCharOffset();
                json.skipChildren();
                int end = (int) json.currentLocation().getCharOffset();
                entries.add(new Entry(text.substring(start, end), results.get(entries.size())));
            }
        }
        return List.copyOf(entries);
    }

    /** The text of a file of these entries, as JMH would have written them together. */
    public static String text(List<Entry> entries) {
        return entries.stream()
                .map(Entry::text)
                .collect(joining(",\n    ", "[\n    ", "\n]\n\n\n"));
    }
}

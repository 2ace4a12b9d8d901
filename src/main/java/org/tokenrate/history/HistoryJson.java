package org.tokenrate.history;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The history for programs: latencies in seconds, changes as ratios (0.03 is 3 %), null for what
 * does not exist; {@code state} and {@code point} are indices from 0.
 */
public final class HistoryJson {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private HistoryJson() {}

    public static void write(History h, Writer out) throws IOException {
        try (JsonGenerator json = JSON.createGenerator(out).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("results", h.results().toString());
            json.writeNumberField("runs", h.runs());
            json.writeNumberField("level", History.LEVEL);
            json.writeNumberField("permutations", NullDistribution.PERMUTATIONS);
            texts(json, "warnings", h.warnings());
            json.writeArrayFieldStart("states");
            for (State s : h.states()) state(json, s);
            json.writeEndArray();
            json.writeArrayFieldStart("rows");
            for (Row r : h.rows()) row(json, h, r);
            json.writeEndArray();
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    private static void state(JsonGenerator json, State s) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", s.name());
        json.writeStringField("kind", s.kind().name().toLowerCase(Locale.ROOT));
        json.writeStringField("time", s.time().toString());
        json.writeStringField("subject", s.subject());
        json.writeEndObject();
    }

    private static void row(JsonGenerator json, History h, Row row) throws IOException {
        json.writeStartObject();
        json.writeStringField("row", row.label());
        object(json, "parameters", row.parameters());
        json.writeArrayFieldStart("settings");
        for (Map<String, String> s : row.settings()) json.writeObject(s);
        json.writeEndArray();
        json.writeArrayFieldStart("breaks");
        for (Row.Break b : row.breaks()) {
            json.writeStartObject();
            json.writeNumberField("state", b.state());
            json.writeStringField("text", b.text());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("lines");
        for (Line l : row.lines()) line(json, h, l);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(JsonGenerator json, History h, Line line) throws IOException {
        json.writeStartObject();
        json.writeStringField("figure", line.figure().metric().name());
        json.writeNumberField("setting", line.setting());
        json.writeNumberField("points_needed", line.needed());
        json.writeArrayFieldStart("points");
        for (Point p : line.points()) {
            json.writeStartObject();
            json.writeNumberField("state", p.state());
            number(json, "value", p.value());
            number(json, "low", p.low());
            number(json, "high", p.high());
            number(json, "least", p.least());
            number(json, "greatest", p.greatest());
            json.writeNumberField("forks", p.forks());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("changes");
        for (ChangePoint c : line.changes()) {
            json.writeStartObject();
            json.writeNumberField("point", c.point());
            json.writeStringField("state", name(h, line, c.point()));
            json.writeStringField("state_before", name(h, line, c.point() - 1));
            number(json, "before", c.before());
            number(json, "after", c.after());
            number(json, "change", c.change());
            number(json, "p", c.p());
            number(json, "adjusted_p", c.adjustedP());
            json.writeStringField("verdict", line.word(c));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static String name(History h, Line line, int point) {
        return h.states().get(line.points().get(point).state()).name();
    }

    private static void object(JsonGenerator json, String name, Map<String, String> texts)
            throws IOException {
        json.writeFieldName(name);
        json.writeObject(texts);
    }

    private static void texts(JsonGenerator json, String name, List<String> texts)
            throws IOException {
        json.writeArrayFieldStart(name);
        for (String t : texts) json.writeString(t);
        json.writeEndArray();
    }

    private static void number(JsonGenerator json, String name, double value) throws IOException {
        if (Double.isFinite(value)) json.writeNumberField(name, value);
        else json.writeNullField(name);
    }
}

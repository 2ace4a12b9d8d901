package org.tokenrate.html;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/**
 * A chart, drawn by the page's script: values on hover, touch and arrow keys; PNG and CSV to keep.
 *
 * @param id of the element and of files that are saved: lower-case letters, digits and hyphens
 * @param title what it shows
 * @param note a sentence below the title; may be empty
 * @param x the axis to the right
 * @param y the axis upwards
 * @param xs ascending, shared by all series; 0, 1, 2, … on an axis of names
 * @param notes a text an x, shown with its values, e.g. a commit's subject; empty if there are none
 * @param joined whether lines go on over values that are missing, or break there
 */
public record Chart(
        String id,
        String title,
        String note,
        Kind kind,
        Axis x,
        Axis y,
        double[] xs,
        List<String> notes,
        List<Series> series,
        List<Mark> marks,
        boolean joined) {
    /** Six digits: more than a screen shows, and a page of moderate size. */
    private static final MathContext DIGITS = new MathContext(6);

    /** What is drawn. */
    public enum Kind {
        /** Lines through markers. */
        LINES,
        /** Markers alone. */
        POINTS,
        /** A value holds until the next one. */
        STEPS,
        /** One series only. */
        BARS
    }

    public Chart {
        if (!id.matches("[a-z0-9-]+")) {
            throw new IllegalArgumentException(
                    "a chart's id must be of a-z, 0-9 and -, not '" + id + "'");
        }
        for (Series s : series) {
            if (s.y().length == xs.length) continue;
            throw new IllegalArgumentException(
                    "series %s has %d values, the chart %s has %d x"
                            .formatted(s.name(), s.y().length, id, xs.length));
        }
    }

    /** Without notes and marks; lines break where values are missing. */
    public static Chart of(
            Kind kind, String id, String title, Axis x, Axis y, double[] xs, List<Series> series) {
        return new Chart(
                id, title, "", kind, x, y, xs, List.of(), List.copyOf(series), List.of(), false);
    }

    public Chart withNote(String text) {
        return new Chart(id, title, text, kind, x, y, xs, notes, series, marks, joined);
    }

    public Chart withNotes(List<String> perX) {
        return new Chart(id, title, note, kind, x, y, xs, List.copyOf(perX), series, marks, joined);
    }

    public Chart withMarks(List<Mark> newMarks) {
        return new Chart(
                id, title, note, kind, x, y, xs, notes, series, List.copyOf(newMarks), joined);
    }

    /** Joins lines over missing values. */
    public Chart thatJoins() {
        return new Chart(id, title, note, kind, x, y, xs, notes, series, marks, true);
    }

    void write(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", id);
        json.writeStringField("title", title);
        json.writeStringField("note", note);
        json.writeStringField("kind", name(kind));
        json.writeBooleanField("joined", joined);
        write(json, "x", x);
        write(json, "y", y);
        numbers(json, "xs", xs);
        if (!notes.isEmpty()) texts(json, "notes", notes);
        json.writeArrayFieldStart("series");
        for (Series s : series) {
            json.writeStartObject();
            json.writeStringField("name", s.name());
            json.writeNumberField("color", s.color());
            json.writeNumberField("dash", s.dash());
            json.writeBooleanField("shown", s.shown());
            numbers(json, "y", s.y());
            if (s.low().length > 0) {
                numbers(json, "low", s.low());
                numbers(json, "high", s.high());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("marks");
        for (Mark m : marks) {
            json.writeStartObject();
            json.writeFieldName("x");
            number(json, m.x());
            json.writeStringField("text", m.text());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, Axis axis) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeStringField("label", axis.label());
        json.writeStringField("unit", axis.unit());
        json.writeStringField("scale", name(axis.scale()));
        json.writeBooleanField("zero", axis.fromZero());
        if (!axis.labels().isEmpty()) texts(json, "labels", axis.labels());
        json.writeEndObject();
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static void texts(JsonGenerator json, String name, List<String> texts)
            throws IOException {
        json.writeArrayFieldStart(name);
        for (String t : texts) json.writeString(t);
        json.writeEndArray();
    }

    private static void numbers(JsonGenerator json, String name, double[] values)
            throws IOException {
        json.writeArrayFieldStart(name);
        for (double v : values) number(json, v);
        json.writeEndArray();
    }

    private static void number(JsonGenerator json, double value) throws IOException {
        if (!Double.isFinite(value)) {
            json.writeNull();
        } else if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            json.writeNumber((long) value);
        } else {
            json.writeNumber(BigDecimal.valueOf(value).round(DIGITS).stripTrailingZeros());
        }
    }
}

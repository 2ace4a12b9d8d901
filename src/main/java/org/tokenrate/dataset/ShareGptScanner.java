package org.tokenrate.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokenrate.dataset.DialogueSpan.Span;

/**
 * One pass over a ShareGPT file: checks its JSON and its shape, and notes where each usable
 * conversation's first two values lie. No value is decoded, so memory does not grow with the text.
 */
final class ShareGptScanner {
    /** A turn this long is no dialogue, and reading it must not take memory without bound. */
    static final int MAX_VALUE_BYTES = 16 << 20;

    static final JsonFactory JSON =
            JsonFactory.builder()
                    // CPython's json.load takes NaN and Infinity.
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxStringLength(MAX_VALUE_BYTES)
                                    .build())
                    .build();

    /** Jackson reads 8 kB at a time; fewer system calls make the pass a third faster. */
    private static final int READ_AHEAD_BYTES = 1 << 20;

    private final Path file;
    private final JsonParser parser;
    private final List<DialogueSpan> dialogues = new ArrayList<>();
    private int conversation;

    private ShareGptScanner(Path file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /**
     * @param dialogues of the conversations with at least two turns, in the file's order
     * @param conversations with any number of turns
     */
    record Found(List<DialogueSpan> dialogues, int conversations) {}

    /**
     * @throws IOException one sentence with the file and the position of what is wrong
     */
    static Found scan(Path file, InputStream in) throws IOException {
        var buffered = new BufferedInputStream(in, READ_AHEAD_BYTES);
        refuseOtherEncodings(file, buffered);
        try (JsonParser parser = JSON.createParser(buffered)) {
            var scanner = new ShareGptScanner(file, parser);
            try {
                scanner.scanAll();
            } catch (JsonProcessingException e) {
                // A breach of a limit carries no location of its own.
                JsonLocation at =
                        e.getLocation() == null ? parser.currentLocation() : e.getLocation();
                throw new IOException(file + " is not valid JSON: " + firstLine(e) + place(at), e);
            }
            return new Found(scanner.dialogues, scanner.conversation);
        }
    }

    private void scanAll() throws IOException {
        JsonToken top = parser.nextToken();
        if (top == null) throw new IOException(file + " is empty, not a ShareGPT JSON array");
        if (top != JsonToken.START_ARRAY) {
            throw wrongShape("the top level must be an array of conversations");
        }
        for (; parser.nextToken() != JsonToken.END_ARRAY; conversation++) readConversation();
        if (parser.nextToken() != null) {
            throw wrongShape("nothing may follow the array of conversations");
        }
    }

    private void readConversation() throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw wrongShape("[" + conversation + "] must be an object");
        }
        JsonLocation start = parser.currentTokenLocation();
        boolean found = false;
        var turns = new Turns();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            boolean wanted = parser.currentName().equals("conversations");
            parser.nextToken();
            if (wanted) {
                found = true;
                turns = readTurns(); // a repeated key counts once, the last time, as in CPython
            } else {
                parser.skipChildren();
            }
        }
        if (!found) {
            throw wrongShape("[" + conversation + "] has no \"conversations\"", start);
        }
        if (turns.count >= 2) {
            if (!turns.firstDefect.isEmpty()) {
                throw wrongShape("[" + conversation + "]." + turns.firstDefect, turns.defectAt);
            }
            dialogues.add(new DialogueSpan(turns.prompt, turns.answer));
        }
    }

    private Turns readTurns() throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw wrongShape("[" + conversation + "].conversations must be an array of turns");
        }
        var turns = new Turns();
        for (; parser.nextToken() != JsonToken.END_ARRAY; turns.count++) {
            if (turns.count == 0) {
                turns.prompt = readValue(turns);
            } else if (turns.count == 1) {
                turns.answer = readValue(turns);
            } else {
                parser.skipChildren();
            }
        }
        return turns;
    }

    /** Reads a turn to its end; what is wrong with it matters only if the conversation is used. */
    private Span readValue(Turns turns) throws IOException {
        JsonLocation start = parser.currentTokenLocation();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            turns.defect(" must be an object with a \"value\", found " + describe(), start);
            parser.skipChildren();
            return NOWHERE;
        }
        Span span = NOWHERE;
        String defect = " has no \"value\"";
        JsonToken key = parser.nextToken();
        while (key != JsonToken.END_OBJECT) {
            boolean wanted = parser.currentName().equals("value");
            JsonToken token = parser.nextToken();
            if (wanted && token == JsonToken.VALUE_STRING) {
                long at = parser.currentTokenLocation().getByteOffset();
                key = parser.nextToken();
                span = span(at, parser.currentTokenLocation().getByteOffset(), turns.count);
                defect = "";
            } else {
                if (wanted) {
                    start = parser.currentTokenLocation();
                    defect = ".value must be a string, found " + describe();
                }
                parser.skipChildren();
                key = parser.nextToken();
            }
        }
        turns.defect(defect, start);
        return span;
    }

    private Span span(long at, long end, int turn) throws IOException {
        if (end - at > MAX_VALUE_BYTES) {
            throw new IOException(
                    String.format(
                            Locale.ROOT,
                            "%s: [%d].conversations[%d].value at byte %,d takes %,d bytes; at most"
                                    + " %,d are read",
                            file,
                            conversation,
                            turn,
                            at,
                            end - at,
                            MAX_VALUE_BYTES));
        }
        return new Span(at, (int) (end - at));
    }

    private static final Span NOWHERE = new Span(0, 0);

    /** What was seen of one conversation's turns. */
    private static final class Turns {
        int count;
        Span prompt = NOWHERE;
        Span answer = NOWHERE;
        String firstDefect = "";
        JsonLocation defectAt = JsonLocation.NA;

        void defect(String what, JsonLocation at) {
            if (!firstDefect.isEmpty() || what.isEmpty()) return;
            firstDefect = "conversations[" + count + "]" + what;
            defectAt = at;
        }
    }

    private IOException wrongShape(String what) {
        return wrongShape(what + ", found " + describe(), parser.currentTokenLocation());
    }

    private IOException wrongShape(String what, JsonLocation at) {
        return new IOException(file + " is not a ShareGPT file: " + what + place(at));
    }

    private String describe() {
        return switch (parser.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_NULL -> "null";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            default -> parser.currentToken().toString();
        };
    }

    static String place(JsonLocation at) {
        return String.format(
                Locale.ROOT,
                " (line %d, column %d, byte %d)",
                at.getLineNr(),
                at.getColumnNr(),
                at.getByteOffset());
    }

    /** Jackson's second line points into its own buffers. */
    private static String firstLine(JsonProcessingException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("broken").strip();
    }

    /** Jackson would guess UTF-16 and UTF-32, and then knows no byte offsets. */
    private static void refuseOtherEncodings(Path file, InputStream in) throws IOException {
        in.mark(4);
        byte[] head = in.readNBytes(4);
        in.reset();
        int b0 = head.length > 0 ? head[0] & 0xff : -1;
        int b1 = head.length > 1 ? head[1] & 0xff : -1;
        if (b0 == 0xef && b1 == 0xbb) {
            throw new IOException(
                    file + " starts with a UTF-8 byte order mark (byte 0); write it without one");
        }
        if (b0 == 0x1f && b1 == 0x8b) {
            throw new IOException(file + " is gzip-compressed (byte 0); unpack it first");
        }
        boolean zero = false;
        for (byte b : head) zero |= b == 0;
        if (zero || b0 == 0xff || b0 == 0xfe) {
            throw new IOException(
                    file + " is not UTF-8 (byte 0 looks like UTF-16 or UTF-32); convert it first");
        }
    }
}

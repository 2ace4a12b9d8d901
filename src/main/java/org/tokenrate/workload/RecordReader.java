package org.tokenrate.workload;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Reads one record from its opening brace to its closing one. */
final class RecordReader {
    private static final List<String> REQUIRED =
            List.of(
                    "index",
                    "prompt_tokens",
                    "requested_tokens",
                    "generated_tokens",
                    "submit_s",
                    "first_token_s",
                    "finish_s",
                    "step_s",
                    "finish_reason",
                    "error");

    private final JsonParser json;
    private final Set<String> seen = new HashSet<>();
    private int index;
    private int promptTokens;
    private int requestedTokens;
    private int generatedTokens;
    private long submitNanos;
    private long firstTokenNanos;
    private long finishNanos;
    private long[] stepNanos = {};
    private int[] stepTokens = {};
    private String finishReason = "";
    private String error = "";

    RecordReader(JsonParser json) {
        this.json = json;
    }

    RequestRecord read() throws IOException {
        expect(JsonToken.START_OBJECT, "a record");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            seen.add(name);
            readField(name);
        }
        for (String name : REQUIRED) {
            if (!seen.contains(name)) {
                throw new IllegalArgumentException("the record has no " + name);
            }
        }
        if (!seen.contains("step_tokens")) {
            stepTokens = new int[stepNanos.length];
            Arrays.fill(stepTokens, 1);
        }
        if (stepTokens.length != stepNanos.length) {
            throw new IllegalArgumentException(
                    "step_tokens has %d values, step_s has %d"
                            .formatted(stepTokens.length, stepNanos.length));
        }
        return new RequestRecord(
                index,
                promptTokens,
                requestedTokens,
                generatedTokens,
                submitNanos,
                firstTokenNanos,
                finishNanos,
                stepNanos,
                stepTokens,
                finishReason,
                error);
    }

    private void readField(String name) throws IOException {
        switch (name) {
            case "index" -> index = count(name);
            case "prompt_tokens" -> promptTokens = count(name);
            case "requested_tokens" -> requestedTokens = count(name);
            case "generated_tokens" -> generatedTokens = count(name);
            case "submit_s" -> submitNanos = nanos(name);
            case "first_token_s" -> firstTokenNanos = isNull() ? -1 : nanos(name);
            case "finish_s" -> finishNanos = nanos(name);
            case "step_s" -> stepNanos = times(name);
            case "step_tokens" -> stepTokens = counts(name);
            case "finish_reason" -> finishReason = string(name);
            case "error" -> error = string(name);
            default -> json.skipChildren();
        }
    }

    private long[] times(String name) throws IOException {
        expect(JsonToken.START_ARRAY, name);
        long[] values = new long[16];
        int size = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (size == values.length) values = Arrays.copyOf(values, 2 * size);
            values[size++] = nanos(name);
        }
        return Arrays.copyOf(values, size);
    }

    private int[] counts(String name) throws IOException {
        expect(JsonToken.START_ARRAY, name);
        int[] values = new int[stepNanos.length + 1];
        int size = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (size == values.length) values = Arrays.copyOf(values, 2 * size);
            values[size++] = count(name);
        }
        return Arrays.copyOf(values, size);
    }

    private boolean isNull() {
        return json.currentToken() == JsonToken.VALUE_NULL;
    }

    private long nanos(String name) throws IOException {
        JsonToken token = json.currentToken();
        if (token != JsonToken.VALUE_NUMBER_FLOAT && token != JsonToken.VALUE_NUMBER_INT) {
            throw new IllegalArgumentException(name + " must be a number, not " + json.getText());
        }
        return Seconds.parse(json.getTextCharacters(), json.getTextOffset(), json.getTextLength());
    }

    private int count(String name) throws IOException {
        expect(JsonToken.VALUE_NUMBER_INT, name);
        return json.getIntValue();
    }

    private String string(String name) throws IOException {
        expect(JsonToken.VALUE_STRING, name);
        return json.getText();
    }

    private void expect(JsonToken token, String what) throws IOException {
        if (json.currentToken() != token) {
            throw new IllegalArgumentException(
                    "%s must be a JSON %s, not '%s'"
                            .formatted(
                                    what, token.name().toLowerCase(Locale.ROOT), json.getText()));
        }
    }
}

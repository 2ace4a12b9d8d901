package org.tokenrate.dataset;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokenrate.dataset.WorkloadFile.Ids;
import org.tokenrate.tokenizer.Tokenizer;

/**
 * One pass over a workload file. Not trusted: memory grows with the file, and by no number in it.
 */
final class WorkloadReader {
    private static final int READ_AHEAD_BYTES = 1 << 16;

    /** Far over any context; a header must not make an engine wait for years. */
    private static final int MOST_TOKENS = 10_000_000;

    private final Path file;
    private final int most;
    private final Tokenizer tokenizer;
    private final String tokenizerSha256;
    private final Ids ids;
    private final List<SampledPrompt> prompts = new ArrayList<>();
    private JsonParser json;
    private int seen;
    private String format = "";
    private int version;
    private String dataset = "";
    private String datasetSha256 = "";
    private String sampling = "";
    private long seed;
    private String idsOf = "";

    WorkloadReader(Path file, int most, Tokenizer tokenizer, String tokenizerSha256, Ids ids) {
        this.file = file;
        this.most = most;
        this.tokenizer = tokenizer;
        this.tokenizerSha256 = tokenizerSha256;
        this.ids = ids;
    }

    WorkloadFile read() throws IOException {
        try (InputStream in =
                        new BufferedInputStream(Files.newInputStream(file), READ_AHEAD_BYTES);
                JsonParser parser = ShareGptScanner.JSON.createParser(in)) {
            json = parser;
            try {
                readAll();
            } catch (JsonProcessingException e) {
                JsonLocation at =
                        e.getLocation() == null ? parser.currentLocation() : e.getLocation();
                String what = e.getOriginalMessage().lines().findFirst().orElse("broken").strip();
                throw new IOException(
                        file + " is not valid JSON: " + what + ShareGptScanner.place(at), e);
            }
        }
        if (!format.equals(WorkloadFile.FORMAT)) {
            throw new IOException(
                    file
                            + " is neither a ShareGPT file, which is an array, nor a workload,"
                            + " which says \"format\":\""
                            + WorkloadFile.FORMAT
                            + "\"");
        }
        if (version != WorkloadFile.VERSION) {
            throw new IOException(
                    "%s is a workload of version %d; this tokenrate reads version %d"
                            .formatted(file, version, WorkloadFile.VERSION));
        }
        if (seen == 0) throw new IOException(file + " holds no request");
        // Those of the texts of another tokenizer are this one's by now, whoever made them.
        return new WorkloadFile(
                new WorkloadFile.Origin(dataset, datasetSha256, sampling, seed, tokenizerSha256),
                prompts);
    }

    private void readAll() throws IOException {
        json.nextToken();
        expect(JsonToken.START_OBJECT, "a workload");
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            json.nextToken();
            switch (name) {
                case "format" -> format = string(name);
                case "version" -> version = number(name, 0);
                case "dataset" -> dataset = string(name);
                case "dataset_sha256" -> datasetSha256 = string(name);
                case "sampling" -> sampling = string(name);
                case "seed" -> {
                    expect(JsonToken.VALUE_NUMBER_INT, name);
                    seed = json.getLongValue();
                }
                case "tokenizer_sha256" -> idsOf = string(name);
                case "requests" -> readRequests();
                default -> json.skipChildren();
            }
        }
        if (json.nextToken() != null) throw wrong("nothing may follow the workload");
    }

    private void readRequests() throws IOException {
        expect(JsonToken.START_ARRAY, "requests");
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (prompts.size() < most) prompts.add(readRequest());
            else json.skipChildren();
            seen++;
        }
    }

    private SampledPrompt readRequest() throws IOException {
        String where = "requests[" + seen + "]";
        expect(JsonToken.START_OBJECT, where);
        String prompt = null;
        int dialogue = -1;
        int length = -1;
        int output = -1;
        int[] written = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            json.nextToken();
            switch (name) {
                case "prompt" -> prompt = string(where + "." + name);
                case "dialogue" -> dialogue = number(where + "." + name, -1);
                case "prompt_tokens" -> length = number(where + "." + name, 1);
                case "output_tokens" -> output = number(where + "." + name, 1);
                case "prompt_token_ids" -> written = ids(where + "." + name);
                default -> json.skipChildren();
            }
        }
        if (prompt == null) throw wrong(where + " has no \"prompt\"");
        if (output < 0) throw wrong(where + " has no \"output_tokens\"");
        if (written != null && length >= 0 && length != written.length) {
            throw wrong(
                    "%s has %d prompt_token_ids, but prompt_tokens says %d"
                            .formatted(where, written.length, length));
        }
        return new SampledPrompt(dialogue, prompt, promptTokens(where, prompt, written), output);
    }

    private int[] promptTokens(String where, String prompt, int[] written) throws IOException {
        boolean same = !idsOf.isEmpty() && idsOf.equals(tokenizerSha256);
        if (written != null && same) return written;
        int[] own = tokenizer.encode(prompt);
        if (own.length == 0) throw wrong(where + ".prompt has no tokens");
        if (written != null && ids == Ids.AS_WRITTEN && !Arrays.equals(own, written)) {
            throw new IOException(
                    ("%s: %s has %d token ids of another tokenizer; this model's makes %d other"
                                    + " ones of the same text. Write the workload anew for this"
                                    + " model: sample %s --model MODEL --json NEW.json")
                            .formatted(file, where, written.length, own.length, file));
        }
        return own;
    }

    private int[] ids(String name) throws IOException {
        expect(JsonToken.START_ARRAY, name);
        int[] values = new int[64];
        int size = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (size == MOST_TOKENS) throw wrong(name + " has over " + MOST_TOKENS + " ids");
            if (size == values.length) values = Arrays.copyOf(values, 2 * size);
            values[size++] = number(name, 0);
        }
        if (size == 0) throw wrong(name + " must not be empty");
        return Arrays.copyOf(values, size);
    }

    private String string(String name) throws IOException {
        expect(JsonToken.VALUE_STRING, name);
        return json.getText();
    }

    private int number(String name, int least) throws IOException {
        expect(JsonToken.VALUE_NUMBER_INT, name);
        int most = name.endsWith("_ids") ? tokenizer.vocabularySize() - 1 : MOST_TOKENS;
        boolean fits = json.getNumberType() == JsonParser.NumberType.INT;
        if (fits && json.getIntValue() >= least && json.getIntValue() <= most) {
            return json.getIntValue();
        }
        throw wrong(
                "%s must be from %d to %d, not %s".formatted(name, least, most, json.getText()));
    }

    private void expect(JsonToken token, String name) throws IOException {
        if (json.currentToken() == token) return;
        String kind =
                switch (token) {
                    case START_OBJECT -> "an object";
                    case START_ARRAY -> "an array";
                    case VALUE_STRING -> "a string";
                    default -> "a whole number";
                };
        throw wrong(name + " must be " + kind);
    }

    private IOException wrong(String what) {
        return new IOException(
                file
                        + " is not a workload: "
                        + what
                        + ShareGptScanner.place(json.currentTokenLocation()));
    }
}

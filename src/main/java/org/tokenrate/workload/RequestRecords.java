package org.tokenrate.workload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Request records as JSON lines, one a request:
 *
 * <pre>{@code
 * {"index":0,"prompt_tokens":12,"requested_tokens":3,"generated_tokens":3,"submit_s":0.000001200,
 *  "first_token_s":0.020001000,"finish_s":0.030002000,"step_s":[0.020001000,...],
 *  "step_tokens":[1,...],"finish_reason":"length","error":""}
 * }</pre>
 *
 * Times are seconds since the workload's start with nine decimals, which are exact. {@code
 * first_token_s} is null if no token came or the answer came whole; {@code step_tokens} is left out
 * if every step brought one token.
 */
public final class RequestRecords {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int BUFFER_BYTES = 1 << 16;

    private RequestRecords() {}

    /** Writes the file anew. */
    public static void write(Path file, List<RequestRecord> records) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                JsonGenerator json = JSON.createGenerator(out)) {
            json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
            var seconds = new Seconds();
            for (RequestRecord r : records) write(json, r, seconds);
            if (!records.isEmpty()) json.writeRaw('\n');
        }
    }

    private static void write(JsonGenerator json, RequestRecord r, Seconds seconds)
            throws IOException {
        json.writeStartObject();
        json.writeNumberField("index", r.index());
        json.writeNumberField("prompt_tokens", r.promptTokens());
        json.writeNumberField("requested_tokens", r.requestedTokens());
        json.writeNumberField("generated_tokens", r.generatedTokens());
        json.writeFieldName("submit_s");
        seconds.write(json, r.submitNanos());
        json.writeFieldName("first_token_s");
        if (r.firstTokenNanos() < 0) json.writeNull();
        else seconds.write(json, r.firstTokenNanos());
        json.writeFieldName("finish_s");
        seconds.write(json, r.finishNanos());
        json.writeArrayFieldStart("step_s");
        for (long nanos : r.stepNanos()) seconds.write(json, nanos);
        json.writeEndArray();
        if (!allOne(r.stepTokens())) {
            json.writeArrayFieldStart("step_tokens");
            for (int tokens : r.stepTokens()) json.writeNumber(tokens);
            json.writeEndArray();
        }
        json.writeStringField("finish_reason", r.finishReason());
        json.writeStringField("error", r.error());
        json.writeEndObject();
    }

    private static boolean allOne(int[] values) {
        for (int v : values) {
            if (v != 1) return false;
        }
        return true;
    }

    /**
     * Reads what {@link #write} wrote; unknown fields are passed over.
     *
     * @throws IOException with the file, the line and what is wrong there
     */
    public static List<RequestRecord> read(Path file) throws IOException {
        List<RequestRecord> records = new ArrayList<>();
        forEach(file, records::add);
        return records;
    }

    /**
     * As {@link #read}, one record after the other, for files that are larger than the memory.
     *
     * @throws IOException with the file, the line and what is wrong there; the records before it
     *     have been taken
     */
    public static void forEach(Path file, Consumer<RequestRecord> taker) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
                JsonParser json = JSON.createParser(in)) {
            try {
                while (json.nextToken() != null) taker.accept(new RecordReader(json).read());
            } catch (JsonProcessingException | IllegalArgumentException e) {
                String what =
                        e instanceof JsonProcessingException broken
                                ? broken.getOriginalMessage()
                                : e.getMessage();
                throw new IOException(
                        "%s, line %d: %s"
                                .formatted(file, json.currentLocation().getLineNr(), what));
            }
        }
    }
}

package org.tokenrate.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.tokenrate.metrics.BinnedRun;
import org.tokenrate.metrics.TimeBins;

/**
 * A {@link BinnedRun} as JSON, beside the request file that it was computed from:
 *
 * <pre>{@code
 * {"ttft":{"from_ns":[20971520,...],"count":[12,...]},"itl":{...},"tpot":{...},"e2e":{...},
 *  "tokens":{"width_ns":16000000,"amount":[0,31,...]},"in_flight_ns":{...}}
 * }</pre>
 *
 * {@code from_ns} is where a bin begins; the bins are HdrHistogram's for two significant digits.
 */
public final class BinnedFile {
    private static final long LARGEST_BYTES = 16L << 20;

    /** A hundred days. */
    private static final long LARGEST_NANOS = 100 * 86_400_000_000_000L;

    /** Of a count or an amount: sums of many stay within a long. */
    private static final long LARGEST_AMOUNT = 1L << 53;

    private BinnedFile() {}

    public static void write(Path file, BinnedRun run) throws IOException {
        try (JsonGenerator json =
                new JsonFactory().createGenerator(Files.newBufferedWriter(file))) {
            json.writeStartObject();
            for (var h : histograms(run).entrySet()) {
                json.writeObjectFieldStart(h.getKey());
                json.writeArrayFieldStart("from_ns");
                for (HistogramIterationValue v : h.getValue().recordedValues()) {
                    json.writeNumber(h.getValue().lowestEquivalentValue(v.getValueIteratedTo()));
                }
                json.writeEndArray();
                json.writeArrayFieldStart("count");
                for (HistogramIterationValue v : h.getValue().recordedValues()) {
                    json.writeNumber(v.getCountAtValueIteratedTo());
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            write(json, "tokens", run.tokens());
            write(json, "in_flight_ns", run.inFlight());
            json.writeEndObject();
        }
    }

    private static Map<String, Histogram> histograms(BinnedRun run) {
        var all = new LinkedHashMap<String, Histogram>();
        all.put("ttft", run.ttft());
        all.put("itl", run.itl());
        all.put("tpot", run.tpot());
        all.put("e2e", run.e2e());
        return all;
    }

    private static void write(JsonGenerator json, String name, TimeBins bins) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("width_ns", bins.widthNanos());
        json.writeArrayFieldStart("amount");
        for (long a : bins.amounts()) json.writeNumber(a);
        json.writeEndArray();
        json.writeEndObject();
    }

    /**
     * @throws IOException if it is not such a file, in one sentence that names it
     */
    public static BinnedRun read(Path file) throws IOException {
        if (Files.size(file) > LARGEST_BYTES) {
            throw new IOException(file + " is far larger than any file of its kind");
        }
        try {
            JsonNode json = new ObjectMapper().readTree(file.toFile());
            return new BinnedRun(
                    histogram(json, "ttft"),
                    histogram(json, "itl"),
                    histogram(json, "tpot"),
                    histogram(json, "e2e"),
                    bins(json, "tokens"),
                    bins(json, "in_flight_ns"));
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static Histogram histogram(JsonNode json, String name) {
        JsonNode values = json.path(name).path("from_ns");
        JsonNode counts = json.path(name).path("count");
        if (!values.isArray() || values.size() != counts.size()) {
            throw new IllegalArgumentException(name + " needs as many count as from_ns");
        }
        Histogram h = BinnedRun.newHistogram();
        for (int i = 0; i < values.size(); i++) {
            h.recordValueWithCount(
                    number(values.get(i), LARGEST_NANOS), number(counts.get(i), LARGEST_AMOUNT));
        }
        return h;
    }

    private static TimeBins bins(JsonNode json, String name) {
        JsonNode values = json.path(name).path("amount");
        if (!values.isArray() || values.size() > TimeBins.MOST) {
            throw new IllegalArgumentException(
                    name + " needs an array amount of " + TimeBins.MOST + " at most");
        }
        long[] amounts = new long[values.size()];
        for (int i = 0; i < amounts.length; i++) {
            amounts[i] = number(values.get(i), Long.MAX_VALUE >> 10);
        }
        return TimeBins.of(number(json.path(name).path("width_ns"), LARGEST_NANOS), amounts);
    }

    private static long number(JsonNode node, long most) {
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            long value = node.longValue();
            if (value >= 0 && value <= most) return value;
        }
        throw new IllegalArgumentException(
                "'%s' must be a whole number from 0 to %d".formatted(node.asText(), most));
    }
}

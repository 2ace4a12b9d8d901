package org.tokenrate.report;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.workload.EngineSample;

/**
 * An engine's counters over the course of an iteration, as CSV. All are since the engine started;
 * {@code time_s} is since the workload's start.
 */
public final class EngineFile {
    private static final String HEADER =
            "time_s,iterations,preemptions,kv_blocks_in_use,kv_blocks_peak";

    private static final int MOST_LINES = 100_000;

    private EngineFile() {}

    public static void write(Path file, List<EngineSample> samples) throws IOException {
        try (Writer out = Files.newBufferedWriter(file)) {
            out.write(HEADER + "\n");
            for (EngineSample s : samples) {
                EngineCounters c = s.counters();
                out.write(CsvText.number(s.nanos() / 1e9) + ',' + c.iterations() + ',');
                out.write(c.preemptions() + "," + c.kvBlocksInUse() + ',' + c.kvBlocksPeak());
                out.write('\n');
            }
        }
    }

    /**
     * @throws IOException if it is not such a file, in one sentence that names file and line
     */
    public static List<EngineSample> read(Path file) throws IOException {
        var samples = new ArrayList<EngineSample>();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            String line = in.readLine();
            if (!HEADER.equals(line)) throw new IOException(file + " must begin with " + HEADER);
            for (int n = 2; (line = in.readLine()) != null; n++) {
                String[] fields = line.split(",", -1);
                try {
                    if (fields.length != 5 || n > MOST_LINES) throw new NumberFormatException();
                    double seconds = Double.parseDouble(fields[0]);
                    samples.add(
                            new EngineSample(
                                    Math.round(seconds * 1e9),
                                    new EngineCounters(
                                            Long.parseLong(fields[1]),
                                            Long.parseLong(fields[2]),
                                            Long.parseLong(fields[3]),
                                            Long.parseLong(fields[4]))));
                } catch (NumberFormatException e) {
                    throw new IOException(
                            "%s, line %d: not five numbers after %s".formatted(file, n, HEADER), e);
                }
            }
        }
        return samples;
    }
}

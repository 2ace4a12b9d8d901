package org.tokenrate.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** An iteration's figures, worked out plainly from its request file. */
record Recomputed(Map<String, Double> values) {
    static Recomputed of(Path file) throws IOException {
        double prompts = 0;
        double promptTokens = 0;
        double generated = 0;
        double start = Double.MAX_VALUE;
        double end = 0;
        List<Double> ttft = new ArrayList<>();
        List<Double> itl = new ArrayList<>();
        List<Double> tpot = new ArrayList<>();
        List<Double> e2e = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            JsonNode r = new ObjectMapper().readTree(line);
            double submit = r.get("submit_s").asDouble();
            double finish = r.get("finish_s").asDouble();
            JsonNode steps = r.get("step_s");
            prompts++;
            promptTokens += r.get("prompt_tokens").asInt();
            generated += r.get("generated_tokens").asInt();
            start = Math.min(start, submit);
            end = Math.max(end, finish);
            ttft.add(r.get("first_token_s").asDouble() - submit);
            for (int i = 1; i < steps.size(); i++) {
                itl.add(steps.get(i).asDouble() - steps.get(i - 1).asDouble());
            }
            double decode = steps.get(steps.size() - 1).asDouble() - steps.get(0).asDouble();
            // The simulated engine brings one token a step.
            if (steps.size() > 1) tpot.add(decode / (r.get("generated_tokens").asInt() - 1));
            e2e.add(finish - submit);
        }
        var values = new TreeMap<String, Double>();
        values.put("duration_s", end - start);
        values.put("prompt_tokens", promptTokens);
        values.put("generated_tokens", generated);
        values.put("rps", prompts / (end - start));
        values.put("rpm", prompts / (end - start) * 60);
        values.put("output_tok_s", generated / (end - start));
        values.put("total_tok_s", (promptTokens + generated) / (end - start));
        put(values, "ttft", ttft);
        put(values, "itl", itl);
        put(values, "tpot", tpot);
        put(values, "e2e", e2e);
        return new Recomputed(values);
    }

    double get(String column) {
        return values.get(column);
    }

    private static void put(Map<String, Double> values, String name, List<Double> times) {
        Collections.sort(times);
        double sum = 0;
        for (double t : times) sum += t;
        values.put(name + "_mean_s", sum / times.size());
        values.put(name + "_min_s", times.get(0));
        values.put(name + "_max_s", times.get(times.size() - 1));
        for (int p : new int[] {50, 75, 95, 99}) {
            double rank = p / 100.0 * (times.size() - 1);
            int below = (int) Math.floor(rank);
            int above = (int) Math.ceil(rank);
            double value =
                    times.get(below) * (1 - (rank - below)) + times.get(above) * (rank - below);
            values.put(name + "_p" + p + "_s", value);
        }
    }
}

package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Does the arithmetic of docs/cuda-roofline.md, for llama2-7b in 16 bits. */
final class RooflineTest {
    private static final Path DOCUMENT = Path.of("docs", "cuda-roofline.md");

    private static final long LAYERS = 32;
    private static final long HIDDEN = 4096; // also heads times their width, queries as keys
    private static final long MIDDLE = 11_008;
    private static final long VOCABULARY = 32_000;
    private static final long CONTEXT = 500;
    private static final long[] BATCHES = {1, 64, 256};

    private record Gpu(String name, double bytesPerSecond, double flopsPerSecond) {}

    private static final List<Gpu> GPUS =
            List.of(
                    new Gpu("A100 80 GB SXM", 2.039e12, 312e12),
                    new Gpu("H100 80 GB SXM", 3.35e12, 989e12));

    /** What one iteration moves and computes in one kind of kernel, all layers together. */
    private record Work(String kernel, double bytes, double flops) {
        double seconds(Gpu gpu) {
            return Math.max(bytes / gpu.bytesPerSecond, flops / gpu.flopsPerSecond);
        }
    }

    private static Work product(String name, long inputs, long outputs, long times, long batch) {
        double weights = (double) inputs * outputs * times;
        return new Work(name, 2 * weights, 2 * weights * batch);
    }

    /** Products read their weights; what they read and write of activations is the others'. */
    private static List<Work> iteration(long batch) {
        double tokens = (double) LAYERS * batch; // each through each layer
        double kv = 2 * HIDDEN * 2;
        List<Work> all = new ArrayList<>();
        all.add(product("product qkv", HIDDEN, 3 * HIDDEN, LAYERS, batch));
        all.add(product("product output", HIDDEN, HIDDEN, LAYERS, batch));
        all.add(product("products gate, up", HIDDEN, 2 * MIDDLE, LAYERS, batch));
        all.add(product("product down", MIDDLE, HIDDEN, LAYERS, batch));
        all.add(product("product logits", HIDDEN, VOCABULARY, 1, batch));
        all.add(new Work("attention_decode", tokens * CONTEXT * kv, tokens * CONTEXT * 4 * HIDDEN));
        all.add(new Work("add_rms_norm, twice", tokens * 2 * HIDDEN * (4 + 4 + 2 + 2), 0));
        all.add(new Work("rope_and_store", tokens * 3 * HIDDEN * (2 + 2), 0));
        all.add(new Work("silu_multiply", tokens * 3 * MIDDLE * 2, 0));
        all.add(new Work("sample (greedy)", (double) batch * VOCABULARY * 4, 0));
        return all;
    }

    private static double bytes(long batch) {
        return iteration(batch).stream().mapToDouble(Work::bytes).sum();
    }

    private static double flops(long batch) {
        return iteration(batch).stream().mapToDouble(Work::flops).sum();
    }

    private static double seconds(Gpu gpu, long batch) {
        return iteration(batch).stream().mapToDouble(w -> w.seconds(gpu)).sum();
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private static List<String> bounds() {
        List<String> lines = new ArrayList<>();
        for (Gpu gpu : GPUS) {
            for (long batch : BATCHES) {
                double seconds = seconds(gpu, batch);
                lines.add(
                        format(
                                "| %s | %d | %.1f | %.1f | %.2f | %.0f | %.1f | %,.0f |",
                                gpu.name,
                                batch,
                                2 * HIDDEN * 2 * LAYERS * CONTEXT * batch / 1e9,
                                bytes(batch) / 1e9,
                                flops(batch) / 1e12,
                                flops(batch) / bytes(batch),
                                seconds * 1e3,
                                batch / seconds));
            }
        }
        return lines;
    }

    private static List<String> shares(Gpu gpu) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < iteration(1).size(); i++) {
            StringBuilder line = new StringBuilder("| " + iteration(1).get(i).kernel + " |");
            for (long batch : BATCHES) {
                double mine = iteration(batch).get(i).seconds(gpu);
                line.append(
                        format(
                                " %.2f ms, %.1f %% |",
                                mine * 1e3, 100 * mine / seconds(gpu, batch)));
            }
            lines.add(line.toString());
        }
        return lines;
    }

    /** A request's share of the machine, with LMDeploy's tokens an answer, at batch 256. */
    private static List<String> published() {
        Gpu gpu = GPUS.get(0);
        double answer = 3387 / 14.56;
        double prompt = 160;
        double weights = iteration(1).stream().mapToDouble(w -> w.flops).sum();
        double decode = answer * seconds(gpu, 256) / 256;
        double prefill = prompt * weights / gpu.flopsPerSecond;
        return List.of(
                format("%.0f tokens an answer", answer),
                format("%.1f ms of decoding", decode * 1e3),
                format("%.1f ms for its prompt", prefill * 1e3),
                format("%.1f requests/s", 1 / (decode + prefill)),
                format("%.0f %% of it", 100 * 14.56 * (decode + prefill)));
    }

    @Test
    void theDocumentsNumbersAreThoseOfTheFormulas() throws IOException {
        String text = Files.readString(DOCUMENT).replaceAll("\\s+", " ");
        List<String> expected = new ArrayList<>(bounds());
        expected.addAll(shares(GPUS.get(0)));
        expected.addAll(shares(GPUS.get(1)));
        expected.addAll(published());
        List<String> missing = expected.stream().filter(line -> !text.contains(line)).toList();
        assertTrue(
                missing.isEmpty(),
                () -> DOCUMENT + " lacks, of its present formulas:\n" + String.join("\n", missing));
    }
}

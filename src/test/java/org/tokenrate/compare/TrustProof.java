package org.tokenrate.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.tokenrate.report.JmhResult;

/**
 * The measurements in {@code docs/trust.md}, made again:
 *
 * <ul>
 *   <li>without arguments: those on the simulated engine, on a virtual clock, written into {@code
 *       docs/trust.md} and {@code docs/detection.svg};
 *   <li>with {@code JMH.JSON FORKS}: those of real runs: deals the many forks of one run of one
 *       build to comparisons of FORKS a side, A B B A in the order in which they ran, and prints
 *       how many say that the build differs from itself.
 * </ul>
 */
public final class TrustProof {
    private static final String ENGINE = "simulated:20ms:5ms";
    private static final double TPOT_US = 5_000;
    private static final int COMPARISONS = 200;
    private static final int RESAMPLES = 1_000;
    private static final int[] FORKS = {3, 5, 10, 20};
    private static final int[] SLOWDOWNS = {3, 5, 10};
    private static final long SEED = 5;

    private final VirtualBenchmark benchmark = new VirtualBenchmark();

    private TrustProof() {}

    public static void main(String[] args) throws IOException {
        if (args.length == 0) {
            new TrustProof().simulated(Path.of("docs"));
        } else if (args.length == 2) {
            System.out.println(dealt(Path.of(args[0]), Integer.parseInt(args[1])));
        } else {
            throw new IllegalArgumentException("give nothing, or JMH.JSON FORKS");
        }
    }

    private void simulated(Path docs) throws IOException {
        var document = new Sections(docs.resolve("trust.md"));
        document.replace("aa", sameBuild());
        document.replace("iterations", iterationsAsUnit());
        double[][] rates = new double[SLOWDOWNS.length][FORKS.length];
        document.replace("detection", slowedDown(rates));
        document.write();
        Files.writeString(
                docs.resolve("detection.svg"), DetectionChart.of(SLOWDOWNS, FORKS, rates));
    }

    /** A build against itself, by how much forks differ and by how many there are. */
    private String sameBuild() {
        var table =
                new StringBuilder(
                        "| forks a side x iterations | fork spread | say \"different\" | interval holds 0 |\n| --- | --- | --- | --- |\n");
        for (int[] layout : new int[][] {{5, 1}, {10, 1}, {20, 1}, {5, 5}, {10, 5}}) {
            for (String spread : new String[] {"0", "0.01", "0.03"}) {
                String engine = ENGINE + ":noise=0.05/0.01/" + spread;
                List<List<Outcome>> all = compare(engine, engine, layout[0], layout[1], RESAMPLES);
                long holds =
                        all.stream()
                                .flatMap(List::stream)
                                .filter(o -> o.interval().low() <= 0 && o.interval().high() >= 0)
                                .count();
                table.append(
                        String.format(
                                Locale.ROOT,
                                "| %d x %d | %s %% | %s | %.1f %% |%n",
                                layout[0],
                                layout[1],
                                Format.number(100 * Double.parseDouble(spread), 0),
                                share(all.stream().filter(TrustProof::saysDifferent).count()),
                                100.0 * holds / all.size() / Figure.values().length));
            }
        }
        return table.toString();
    }

    /** What would come of taking the iterations of one fork a side for the unit. */
    private String iterationsAsUnit() {
        var table =
                new StringBuilder(
                        "| one fork a side, iterations | fork spread | would say \"different\" |\n| --- | --- | --- |\n");
        for (int iterations : new int[] {5, 10, 20}) {
            for (String spread : new String[] {"0", "0.01", "0.03"}) {
                String engine = ENGINE + ":noise=0.05/0.01/" + spread;
                List<List<Outcome>> all = compare(engine, engine, 1, iterations, 0);
                table.append(
                        "| %d | %s %% | %s |%n"
                                .formatted(
                                        iterations,
                                        Format.number(100 * Double.parseDouble(spread), 0),
                                        share(
                                                all.stream()
                                                        .filter(TrustProof::saysDifferent)
                                                        .count())));
            }
        }
        return table.toString();
    }

    /** A build against itself with a delay before every token. */
    private String slowedDown(double[][] rates) {
        var table =
                new StringBuilder(
                        "| forks a side x iterations | 3 % slower | 5 % slower | 10 % slower | smallest change said to be visible |\n| --- | --- | --- | --- | --- |\n");
        for (int iterations : new int[] {1, 3}) {
            for (int f = 0; f < FORKS.length; f++) {
                table.append("| %d x %d |".formatted(FORKS[f], iterations));
                double[] detectable = {};
                for (int s = 0; s < SLOWDOWNS.length; s++) {
                    String noise = ":noise=0.05/0.01/0.01";
                    String delay = delay(SLOWDOWNS[s]);
                    List<List<Outcome>> all =
                            compare(
                                    ENGINE + noise,
                                    ENGINE + noise + delay,
                                    FORKS[f],
                                    iterations,
                                    0);
                    List<Outcome> rate = all.stream().map(o -> o.get(0)).toList();
                    long found = rate.stream().filter(o -> o.verdict() == Verdict.SLOWER).count();
                    if (iterations == 1) rates[s][f] = (double) found / COMPARISONS;
                    table.append(' ').append(share(found)).append(" |");
                    detectable =
                            rate.stream()
                                    .mapToDouble(Outcome::detectable)
                                    .filter(Double::isFinite)
                                    .toArray();
                }
                double median = Sample.median(detectable);
                table.append(
                        detectable.length == 0
                                ? " none |\n"
                                : String.format(Locale.ROOT, " %.1f %% |%n", 100 * median));
            }
        }
        return table.append('\n').append(outputRates()).toString();
    }

    /** What the delays do to the compared figure, without noise. */
    private String outputRates() {
        double base = outputRate(ENGINE);
        var text = new StringBuilder("Output tokens/s fall by");
        for (int slowdown : SLOWDOWNS) {
            double change = outputRate(ENGINE + delay(slowdown)) / base - 1;
            text.append(String.format(Locale.ROOT, " %.2f %%,", -100 * change));
        }
        text.setCharAt(text.length() - 1, '.');
        return text.append('\n').toString();
    }

    private double outputRate(String engine) {
        return benchmark
                .row(engine, 1, 1, new SplittableRandom(SEED))
                .sample(Figure.OUTPUT_RATE.metric())
                .median();
    }

    private static String delay(int slowdown) {
        return ":delay=" + Math.round(TPOT_US * slowdown / 100) + "us";
    }

    /** With one fork a side, its iterations count as forks do. */
    private List<List<Outcome>> compare(
            String base, String candidate, int forks, int iterations, int resamples) {
        return IntStream.range(0, COMPARISONS)
                .parallel()
                .mapToObj(
                        i -> {
                            var seeds = new SplittableRandom(SEED + i * 1_000_003L);
                            Row a = benchmark.row(base, forks, iterations, seeds);
                            Row b = benchmark.row(candidate, forks, iterations, seeds);
                            if (forks > 1) return VirtualBenchmark.judge(a, b, resamples);
                            return VirtualBenchmark.judge(
                                    VirtualBenchmark.iterationsAsForks(a),
                                    VirtualBenchmark.iterationsAsForks(b),
                                    resamples);
                        })
                .toList();
    }

    /** One build's forks, dealt to two sides again and again. */
    private static String dealt(Path jmhJson, int forks) throws IOException {
        JmhResult all = Run.read(jmhJson).entries().get(0).result();
        int comparisons = all.forks() / (2 * forks);
        int different = 0;
        var text = new StringBuilder();
        for (int c = 0; c < comparisons; c++) {
            var sides = List.of(new ArrayList<Integer>(), new ArrayList<Integer>());
            for (int i = 0; i < 2 * forks; i++) {
                int side = i % 4 == 0 || i % 4 == 3 ? 0 : 1;
                sides.get(side).add(2 * forks * c + i);
            }
            List<Outcome> outcomes =
                    VirtualBenchmark.judge(pick(all, sides.get(0)), pick(all, sides.get(1)), 0);
            if (saysDifferent(outcomes)) different++;
            Outcome rate = outcomes.get(0);
            text.append(
                    "%3d  %s %s, %s%n"
                            .formatted(
                                    c + 1,
                                    rate.figure().label(),
                                    Format.change(rate.change()),
                                    saysDifferent(outcomes) ? "different" : "no difference"));
        }
        return text
                + "%d of %d comparisons of %d forks a side say \"different\""
                        .formatted(different, comparisons, forks);
    }

    private static Row pick(JmhResult all, List<Integer> forks) {
        var metrics = new LinkedHashMap<String, List<List<Double>>>();
        for (Figure f : Figure.values()) {
            List<List<Double>> values = all.metrics().getOrDefault(f.metric().name(), List.of());
            metrics.put(f.metric().name(), forks.stream().map(values::get).toList());
        }
        return VirtualBenchmark.row(metrics);
    }

    private static boolean saysDifferent(List<Outcome> outcomes) {
        return outcomes.stream()
                .map(Outcome::verdict)
                .anyMatch(v -> v == Verdict.FASTER || v == Verdict.SLOWER);
    }

    private static String share(long count) {
        return String.format(Locale.ROOT, "%.1f %%", 100.0 * count / COMPARISONS);
    }

    /** A document with places that are written anew. */
    private static final class Sections {
        private final Path file;
        private String text;

        Sections(Path file) throws IOException {
            this.file = file;
            text = Files.readString(file);
        }

        void replace(String name, String content) {
            String begin = "<!-- measured: " + name + " -->\n";
            String end = "<!-- end -->";
            int from = text.indexOf(begin);
            if (from < 0) throw new IllegalStateException(file + " has no section " + name);
            int to = text.indexOf(end, from);
            text = text.substring(0, from) + begin + "\n" + content + "\n" + text.substring(to);
            System.out.println(content);
        }

        void write() throws IOException {
            Files.writeString(file, text);
        }
    }
}

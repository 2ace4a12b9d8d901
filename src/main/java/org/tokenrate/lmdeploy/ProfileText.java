package org.tokenrate.lmdeploy;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A profile as LMDeploy's script shows it and as it writes it. */
public final class ProfileText {
    private static final String RULE = "-".repeat(50);

    /** The misspelling is LMDeploy's, and what reads its files looks for it. */
    private static final String HEADER =
            "batch,num_promts,RPS,RPM,FTL(ave)(s),FTL(min)(s),FTL(max)(s),50%(s),75%(s),95%(s),99%(s),"
                    + "throughput(out tok/s),throughput(total tok/s)";

    /** Of Python's csv module, on every system. */
    private static final String LINE_END = "\r\n";

    private ProfileText() {}

    /** The summary at the end of a run. */
    public static String summary(ThroughputProfile p) {
        var lines = new ArrayList<String>();
        lines.add(RULE);
        lines.add("concurrency: " + p.concurrency());
        lines.add("elapsed_time: " + fixed(p.elapsedSeconds()) + "s");
        lines.add("");
        if (p.streamed()) {
            lines.add(
                    "first token latency(s)(min, max, ave): %s, %s, %s"
                            .formatted(
                                    fixed(p.firstToken().least()),
                                    fixed(p.firstToken().greatest()),
                                    fixed(p.firstToken().average())));
            lines.add("per-token latency(s) percentile(50, 75, 95, 99): " + p.perTokenSeconds());
            lines.add("");
        }
        lines.add("number of prompt tokens: " + p.promptTokens());
        lines.add("number of completion tokens: " + p.completionTokens());
        lines.add(
                "token throughput (completion token): %s token/s"
                        .formatted(fixed(p.outputTokensPerSecond())));
        lines.add(
                "token throughput (prompt + completion token): %s token/s"
                        .formatted(fixed(p.totalTokensPerSecond())));
        lines.add("RPS (request per second): %s req/s".formatted(fixed(p.requestsPerSecond())));
        lines.add("RPM (request per minute): %s req/min".formatted(fixed(p.requestsPerMinute())));
        lines.add(RULE);
        return String.join("\n", lines) + "\n";
    }

    /** The whole CSV file: a header and a row. */
    public static String csv(ThroughputProfile p) {
        var latencies = new ArrayList<Double>();
        latencies.add(p.firstToken().average());
        latencies.add(p.firstToken().least());
        latencies.add(p.firstToken().greatest());
        latencies.addAll(p.streamed() ? p.perTokenSeconds() : noPercentiles());
        String row =
                "%d,%d,%s,%s,%s,%s,%s"
                        .formatted(
                                p.concurrency(),
                                p.requests(),
                                fixed(p.requestsPerSecond()),
                                fixed(p.requestsPerMinute()),
                                latencies.stream()
                                        .map(ProfileText::fixed)
                                        .collect(Collectors.joining(",")),
                                fixed(p.outputTokensPerSecond()),
                                fixed(p.totalTokensPerSecond()));
        return HEADER + LINE_END + row + LINE_END;
    }

    private static List<Double> noPercentiles() {
        return ThroughputProfile.PERCENTS.stream().map(p -> Double.NaN).toList();
    }

    /** Python's {@code .3f}: the exact value, ties to even; a dash for what there is not. */
    private static String fixed(double value) {
        if (Double.isNaN(value)) return "-";
        return new BigDecimal(value).setScale(3, RoundingMode.HALF_EVEN).toPlainString();
    }
}

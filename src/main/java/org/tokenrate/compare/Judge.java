package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Comes to a verdict on every figure of every row.
 *
 * <p>The unit is the fork: a JVM compiles and lays out memory in its own way, so that iterations of
 * one fork are alike and those of two forks are not, with nothing changed at all. A test over
 * iterations takes that for a difference between commits. So each fork counts once, by the median
 * of its iterations, and one fork a side decides nothing.
 *
 * <p>Mann-Whitney over the forks gives a p-value, Benjamini-Hochberg corrects it for the number of
 * figures in all rows; at most {@link Comparison#LEVEL} is a difference. Where no change, however
 * large, could have come to that, the verdict is that there are too few forks, not that there is no
 * difference.
 */
final class Judge {

    private record Test(int row, Figure figure, Sample base, Sample candidate, String seed) {
        double p() {
            return RankTest.p(base.forkMedians(), candidate.forkMedians());
        }
    }

    private final List<Matching.Pair> pairs;
    private final int resamples;
    private final List<Test> tests = new ArrayList<>();
    private final DetectableChange detectable = new DetectableChange();

    private Judge(List<Matching.Pair> pairs, int resamples) {
        this.pairs = pairs;
        this.resamples = resamples;
        for (int row = 0; row < pairs.size(); row++) {
            Matching.Pair pair = pairs.get(row);
            for (Figure f : Figure.values()) {
                Sample base = pair.base().sample(f.metric());
                Sample candidate = pair.candidate().sample(f.metric());
                if (!base.isComparable() || !candidate.isComparable()) continue;
                tests.add(new Test(row, f, base, candidate, pair.label() + "/" + f));
            }
        }
    }

    /**
     * @param resamples for the intervals, on which no verdict depends
     */
    static List<Comparison.Row> judge(List<Matching.Pair> pairs, int resamples) {
        return new Judge(pairs, resamples).rows();
    }

    private List<Comparison.Row> rows() {
        double[] p = tests.stream().mapToDouble(Test::p).toArray();
        var correction = new BenjaminiHochberg(p);
        double[] adjusted = correction.adjusted();
        List<Outcome> judged =
                IntStream.range(0, tests.size())
                        .parallel()
                        .mapToObj(
                                i ->
                                        outcome(
                                                tests.get(i),
                                                p[i],
                                                adjusted[i],
                                                correction.limit(i, Comparison.LEVEL)))
                        .toList();
        var rows = new ArrayList<Comparison.Row>();
        for (int row = 0; row < pairs.size(); row++) rows.add(row(row, judged));
        return List.copyOf(rows);
    }

    private Comparison.Row row(int row, List<Outcome> judged) {
        Matching.Pair pair = pairs.get(row);
        var outcomes = new ArrayList<Outcome>();
        for (Figure f : Figure.values()) {
            int test = 0;
            while (test < tests.size() && !is(tests.get(test), row, f)) test++;
            outcomes.add(test < tests.size() ? judged.get(test) : notMeasured(pair, f));
        }
        return new Comparison.Row(
                pair.label(),
                pair.base().forks(),
                pair.base().iterations(),
                pair.candidate().forks(),
                pair.candidate().iterations(),
                List.copyOf(outcomes));
    }

    private static boolean is(Test t, int row, Figure f) {
        return t.row == row && t.figure == f;
    }

    /**
     * @param limit the largest p with which this figure would have been called different
     */
    private Outcome outcome(Test t, double p, double adjusted, double limit) {
        double base = t.base.median();
        double candidate = t.candidate.median();
        double change = candidate / base - 1;
        int n = t.base.forkCount();
        int m = t.candidate.forkCount();
        Verdict verdict = Verdict.NO_DIFFERENCE;
        if (RankTest.smallestP(n, m) > limit) {
            verdict = Verdict.TOO_FEW;
        } else if (adjusted <= Comparison.LEVEL && change != 0) {
            verdict = t.figure.worsening(change) > 0 ? Verdict.SLOWER : Verdict.FASTER;
        }
        return new Outcome(
                t.figure,
                base,
                candidate,
                n,
                m,
                change,
                Bootstrap.change95(t.base, t.candidate, resamples, t.seed.hashCode()),
                p,
                adjusted,
                verdict,
                detectable.of(t.base.forkMedians(), t.candidate.forkMedians(), limit),
                RankTest.needed(limit));
    }

    private static Outcome notMeasured(Matching.Pair pair, Figure f) {
        double none = Double.NaN;
        Sample base = pair.base().sample(f.metric());
        Sample candidate = pair.candidate().sample(f.metric());
        return new Outcome(
                f,
                base.median(),
                candidate.median(),
                base.forkCount(),
                candidate.forkCount(),
                none,
                Interval.UNKNOWN,
                none,
                none,
                Verdict.NOT_MEASURED,
                none,
                0);
    }
}

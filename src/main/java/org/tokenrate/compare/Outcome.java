package org.tokenrate.compare;

import java.util.Locale;

/**
 * One figure of one row, compared. Numbers that do not exist are NaN.
 *
 * @param base median over the base's forks; latencies in seconds
 * @param candidate likewise
 * @param baseForks forks that have the figure
 * @param candidateForks likewise
 * @param change candidate / base - 1
 * @param interval 95 % interval of the change
 * @param p Mann-Whitney over forks
 * @param adjustedP over all figures of all rows
 * @param detectable smallest relative change that would likely have been seen
 * @param needed forks a side with which a change in this figure alone could be seen
 */
public record Outcome(
        Figure figure,
        double base,
        double candidate,
        int baseForks,
        int candidateForks,
        double change,
        Interval interval,
        double p,
        double adjustedP,
        Verdict verdict,
        double detectable,
        int needed) {

    /** The verdict in words, with what it rests on. */
    public String words() {
        return switch (verdict) {
            case NO_DIFFERENCE ->
                    String.format(
                            Locale.ROOT, "%s (from %.1f %%)", verdict.words(), 100 * detectable);
            case TOO_FEW ->
                    "%s (%s of %d)"
                            .formatted(
                                    verdict.words(), Math.min(baseForks, candidateForks), needed);
            default -> verdict.words();
        };
    }

    /** Whether the candidate is slower by more than {@code ratio}, and not by chance. */
    public boolean isSlowerBy(double ratio) {
        return verdict == Verdict.SLOWER && figure.worsening(change) > ratio;
    }

    /** Whether a change of {@code ratio} would likely have been seen. */
    boolean wouldShow(double ratio) {
        return switch (verdict) {
            case NO_DIFFERENCE -> detectable <= ratio;
            case TOO_FEW -> false;
            default -> true;
        };
    }
}

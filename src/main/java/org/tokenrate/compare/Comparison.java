package org.tokenrate.compare;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Two sides, compared.
 *
 * @param base name of the base
 * @param candidate name of the candidate
 * @param baseFiles the {@code jmh.json} files that it is made of
 * @param candidateFiles likewise
 * @param differences what else than the commit differs, in sentences: reasons to trust no verdict
 * @param notes what a reader should know besides
 * @param onlyBase rows without a partner
 * @param onlyCandidate likewise
 * @param rows at least one
 */
public record Comparison(
        String base,
        String candidate,
        List<String> baseFiles,
        List<String> candidateFiles,
        List<String> differences,
        List<String> notes,
        List<String> onlyBase,
        List<String> onlyCandidate,
        List<Row> rows) {

    /** A difference is called at this chance of being wrong. */
    public static final double LEVEL = 0.05;

    /**
     * A parameter combination.
     *
     * @param label the parameters that vary from row to row
     * @param baseForks forks of the base
     * @param baseIterations iterations of all of them
     */
    public record Row(
            String label,
            int baseForks,
            int baseIterations,
            int candidateForks,
            int candidateIterations,
            List<Outcome> outcomes) {}

    /**
     * Compares.
     *
     * @param across parameters that are meant to differ between the sides
     * @throws IOException if no row of one has a partner in the other, or one is of the software
     *     GPU, in one sentence
     */
    public static Comparison of(Side base, Side candidate, Set<String> across) throws IOException {
        Matching matching = Matching.of(base, candidate, across);
        var likeness = Likeness.of(matching, base, candidate, across);
        return new Comparison(
                base.name(),
                candidate.name(),
                files(base),
                files(candidate),
                likeness.differences(),
                likeness.notes(),
                matching.onlyBase(),
                matching.onlyCandidate(),
                Judge.judge(matching.pairs(), Bootstrap.RESAMPLES));
    }

    /** All figures of all rows that were measured on both sides. */
    public List<Outcome> outcomes() {
        return rows.stream()
                .flatMap(r -> r.outcomes().stream())
                .filter(o -> o.verdict() != Verdict.NOT_MEASURED)
                .toList();
    }

    /** How many figures have this verdict. */
    public long count(Verdict verdict) {
        return outcomes().stream().filter(o -> o.verdict() == verdict).count();
    }

    /** Whether anything could be called different at all, if all figures were. */
    public boolean isDecidable() {
        return outcomes().stream()
                .anyMatch(o -> RankTest.smallestP(o.baseForks(), o.candidateForks()) <= LEVEL);
    }

    private static List<String> files(Side side) {
        return side.runs().stream().map(r -> r.file().toString()).toList();
    }
}

package org.tokenrate.model;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * What one of several tensor-parallel ranks holds of a model: some heads, some of the MLP's middle
 * and some of the vocabulary's rows of the head; the embedding and the norms whole. So attention
 * and MLP need no word from other ranks until their last product, whose sum over the ranks is the
 * layer's result.
 *
 * <p>Heads are divided evenly. Where there are more ranks than KV heads, ranks beside each other
 * hold the same KV head and share its queries, as LMDeploy has it. The middle and the vocabulary
 * are divided as evenly as their units allow, so ranks may differ by a unit, and nothing is padded.
 *
 * <p>The embedding is not divided: a token reads one row of it, so that dividing it saves no time
 * but only memory, and costs one more exchange an iteration.
 *
 * @param middleUnit the middle is cut at multiples of it
 * @see <a href="https://arxiv.org/abs/1909.08053">Megatron-LM, section 3</a>
 */
public record Shard(ModelConfig config, int rank, int ranks, int middleUnit) {
    /** Rows and columns begin on multiples of 16 bytes of 16-bit numbers where there are enough. */
    private static final int ALIGNED = 8;

    private static final int MOST_RANKS = 64;

    /** From {@code from} to {@code to} (exclusive). */
    record Range(int from, int to) {
        int width() {
            return to - from;
        }

        Range times(int width) {
            return new Range(from * width, to * width);
        }
    }

    /** The whole model. */
    static Shard whole(ModelConfig config) {
        return new Shard(config, 0, 1, 1);
    }

    /**
     * The shards of a model, by rank.
     *
     * @param groupSize for a layer's inputs, how many of them share a scale and so stay together: 1
     *     for dense weights
     * @throws IllegalArgumentException if the model cannot be divided among so many, with the
     *     numbers and what would do
     */
    public static List<Shard> of(ModelConfig config, int ranks, IntUnaryOperator groupSize) {
        String reason = reasonAgainst(config, ranks, groupSize);
        if (!reason.isEmpty()) {
            throw new IllegalArgumentException(
                    "tp=%d %s; %s".formatted(ranks, reason, remedy(config, groupSize)));
        }
        int group = groupSize.applyAsInt(config.intermediateSize());
        int unit = Math.max(group, unit(config.intermediateSize(), ranks));
        List<Shard> shards = new ArrayList<>();
        for (int r = 0; r < ranks; r++) shards.add(new Shard(config, r, ranks, unit));
        return shards;
    }

    /** Why a model cannot be divided among so many ranks; empty if it can. */
    private static String reasonAgainst(ModelConfig config, int ranks, IntUnaryOperator groupSize) {
        if (ranks < 1 || Integer.bitCount(ranks) != 1) return "must be a power of two";
        if (config.heads() % ranks != 0) {
            return "must divide %d attention heads".formatted(config.heads());
        }
        int kvHeads = config.kvHeads();
        if (kvHeads % ranks != 0 && ranks % kvHeads != 0) {
            return "must divide %d KV heads or be a multiple of them".formatted(kvHeads);
        }
        int group = groupSize.applyAsInt(config.queryWidth());
        int width = config.queryWidth() / ranks;
        if (width % group != 0) {
            return "leaves each rank %d columns of the attention's output, which cuts through 4-bit groups of %d"
                    .formatted(width, group);
        }
        int middle = config.intermediateSize();
        int units = middle / groupSize.applyAsInt(middle);
        if (units < ranks) {
            return units == middle
                    ? "must not exceed the MLP's width of %d".formatted(middle)
                    : "must not exceed the %d 4-bit groups of the MLP's width of %d"
                            .formatted(units, middle);
        }
        return config.vocabularySize() < ranks
                ? "must not exceed the vocabulary of %d".formatted(config.vocabularySize())
                : "";
    }

    private static String remedy(ModelConfig config, IntUnaryOperator groupSize) {
        List<Integer> possible = new ArrayList<>();
        for (int ranks = 1; ranks <= MOST_RANKS; ranks *= 2) {
            if (reasonAgainst(config, ranks, groupSize).isEmpty()) possible.add(ranks);
        }
        StringBuilder text = new StringBuilder("try ");
        for (int i = 0; i < possible.size(); i++) {
            boolean last = i == possible.size() - 1;
            text.append(i == 0 ? "" : last ? " or " : ", ").append(possible.get(i));
        }
        return text.toString();
    }

    private static int unit(int total, int ranks) {
        return total >= ALIGNED * ranks ? ALIGNED : 1;
    }

    /** This rank's part of so many, in units; the last rank has what does not fill one. */
    private Range part(int total, int unit) {
        return new Range(cut(total, unit, rank), cut(total, unit, rank + 1));
    }

    private int cut(int total, int unit, int before) {
        return before == ranks ? total : (int) ((long) (total / unit) * before / ranks) * unit;
    }

    /** Query heads: of each KV head as many. */
    Range heads() {
        int each = config.heads() / ranks;
        return new Range(rank * each, (rank + 1) * each);
    }

    Range kvHeads() {
        int first = config.kvHeads() * rank / ranks;
        return new Range(first, first + Math.max(1, config.kvHeads() / ranks));
    }

    /** Rows of gate and up, columns of down. */
    Range middle() {
        return part(config.intermediateSize(), middleUnit);
    }

    /** Rows of the head. */
    Range vocabulary() {
        return part(config.vocabularySize(), unit(config.vocabularySize(), ranks));
    }

    /** Width of the fused query, key and value projection. */
    int qkvWidth() {
        return (heads().width() + 2 * kvHeads().width()) * config.headDim();
    }

    /** Whether this rank adds what must be added once: the biases. */
    boolean isFirst() {
        return rank == 0;
    }
}

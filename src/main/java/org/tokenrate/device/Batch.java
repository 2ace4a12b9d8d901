package org.tokenrate.device;

/**
 * One iteration's tokens: of many sequences, back to back. Reused from iteration to iteration, so
 * its arrays are as large as the largest iteration.
 */
public final class Batch {
    private final int maxTokens;

    /** Token ids, {@code [tokens]}. */
    public final int[] tokens;

    /** Position of each token in its sequence, {@code [tokens]}. */
    public final int[] positions;

    /** Sequence that each token belongs to, {@code [tokens]}. */
    public final int[] sequenceOf;

    /** First token of each sequence, {@code [sequences + 1]}. */
    public final int[] start;

    /** Tokens of each sequence's prompt, {@code [sequences]}. */
    public final int[] promptLength;

    /**
     * KV blocks of each sequence in the order of its tokens, {@code [sequences][]}; each holds
     * {@link KvCache#blockTokens}.
     */
    public final int[][] blocks;

    /** Rows whose next token is wanted, {@code [samples]}. */
    public final int[] sampleRow;

    /** Likeliest tokens kept for each wanted token, {@code [samples]}; 0 keeps all, 1 is greedy. */
    public final int[] topK;

    /** Nucleus probability for each wanted token, {@code [samples]}. */
    public final float[] topP;

    /** Divisor of the logits for each wanted token, {@code [samples]}; 0 is greedy. */
    public final float[] temperature;

    /** Seed of the generator of each wanted token's request, {@code [samples]}. */
    public final long[] seed;

    /** Position in its sequence of each token to be chosen: the generator's counter. */
    public final int[] samplePosition;

    private long version;
    private int tokenCount;
    private int sequenceCount;
    private int sampleCount;

    /** A batch of at most {@code maxTokens} tokens of at most {@code maxSequences} sequences. */
    public Batch(int maxTokens, int maxSequences) {
        this.maxTokens = maxTokens;
        tokens = new int[maxTokens];
        positions = new int[maxTokens];
        sequenceOf = new int[maxTokens];
        start = new int[maxSequences + 1];
        promptLength = new int[maxSequences];
        blocks = new int[maxSequences][];
        sampleRow = new int[maxSequences];
        topK = new int[maxSequences];
        topP = new float[maxSequences];
        temperature = new float[maxSequences];
        seed = new long[maxSequences];
        samplePosition = new int[maxSequences];
    }

    public void clear() {
        version++;
        tokenCount = 0;
        sequenceCount = 0;
        sampleCount = 0;
        start[0] = 0;
    }

    /**
     * Adds tokens {@code from} to {@code to} (exclusive) of a sequence.
     *
     * @param sequence all tokens of the sequence, by position
     * @param promptLength how many of them were given rather than generated: the same for as long
     *     as the sequence lives, whichever tokens are added
     * @param blocks KV blocks that cover positions up to {@code to}
     */
    public void add(int[] sequence, int from, int to, int promptLength, int[] blocks) {
        for (int p = from; p < to; p++) {
            tokens[tokenCount] = sequence[p];
            positions[tokenCount] = p;
            sequenceOf[tokenCount] = sequenceCount;
            tokenCount++;
        }
        this.promptLength[sequenceCount] = promptLength;
        this.blocks[sequenceCount] = blocks;
        start[++sequenceCount] = tokenCount;
    }

    /** Asks for the token that follows the last one added. */
    public void sampleNext(int topK, float topP, float temperature, long seed) {
        sampleRow[sampleCount] = tokenCount - 1;
        samplePosition[sampleCount] = positions[tokenCount - 1] + 1;
        this.topK[sampleCount] = topK;
        this.topP[sampleCount] = topP;
        this.temperature[sampleCount] = temperature;
        this.seed[sampleCount] = seed;
        sampleCount++;
    }

    /** What {@link RopeScaling#frequency} calls the length of a token's sequence. */
    public int ropeLength(int token) {
        return Math.max(promptLength[sequenceOf[token]], positions[token] + 1);
    }

    /** Changes with every iteration: what was derived from the batch holds while this does. */
    public long version() {
        return version;
    }

    public int tokenCount() {
        return tokenCount;
    }

    public int sequenceCount() {
        return sequenceCount;
    }

    public int sampleCount() {
        return sampleCount;
    }

    /** Tokens that can still be added. */
    public int room() {
        return maxTokens - tokenCount;
    }
}

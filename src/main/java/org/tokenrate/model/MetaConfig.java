package org.tokenrate.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.checkpoint.MetaCheckpoint;
import org.tokenrate.checkpoint.MetaParams;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/**
 * A {@link ModelConfig} from a model in Meta's layout. What {@code params.json} leaves out follows
 * from what is there:
 *
 * <ul>
 *   <li>The vocabulary is as large as the embedding, if {@code vocab_size} is -1 or absent.
 *   <li>The tokenizer is Llama 3's if {@code tokenizer.model} is a tiktoken rank file, or, where
 *       there is no such file, if the vocabulary is as large as Llama 3's.
 *   <li>The longest context is {@code max_seq_len}, if there is one; else 131072 with scaled rotary
 *       frequencies (Llama 3.1 and later), 8192 with Llama 3's tokenizer, 16384 with a {@code
 *       rope_theta} above 10000 (Code Llama), 2048 for Llama 1 (a {@code norm_eps} of 1e-6, or 8192
 *       wide without {@code n_kv_heads}) and 4096 for the rest (Llama 2).
 *   <li>A text ends with token 2 (SentencePiece's), or with any of Llama 3's end of text, end of
 *       message and end of turn.
 *   <li>Scaled rotary frequencies are scaled by 8, and by 32 in models as narrow as Llama 3.2's of
 *       1B and 3B: Meta's code has 8 for both, which its authors call wrong for these two, and
 *       their config.json says 32.
 * </ul>
 *
 * @see <a href="https://github.com/meta-llama/llama-models/blob/main/models/llama3/model.py">Meta's
 *     model</a>
 * @see <a href="https://github.com/meta-llama/llama-models/issues/166">on the factor of Llama
 *     3.2</a>
 */
public final class MetaConfig {
    private static final int LLAMA3_VOCABULARY = 128256;

    /** Llama 3's special tokens, the last of its vocabulary. */
    private static final int SPECIAL_TOKENS = 256;

    /** Among them: end of text, of message, of turn. */
    private static final List<Integer> LLAMA3_ENDS = List.of(1, 8, 9);

    private static final int SENTENCE_PIECE_END = 2;

    private static final int SCALED_CONTEXT = 131072;
    private static final int LLAMA3_CONTEXT = 8192;
    private static final int CODE_LLAMA_CONTEXT = 16384;
    private static final int LLAMA2_CONTEXT = 4096;
    private static final int LLAMA1_CONTEXT = 2048;

    private static final float LLAMA1_EPS = 1e-6f;
    private static final int LLAMA1_65B_DIM = 8192;
    private static final float PLAIN_THETA = 10000;

    private static final double SCALE = 8;
    private static final double SMALL_SCALE = 32;

    /** Width of Llama 3.2 3B; the narrowest with the other factor, 3.1 8B, is 4096 wide. */
    private static final int WIDEST_SMALL = 3072;

    /** A rank file's line is a token in base 64 and its rank. */
    private static final String RANK_LINE = "(?s)[A-Za-z0-9+/]+={0,2} [0-9]+\r?\n.*";

    private static final int LINE_BYTES = 256;

    private MetaConfig() {}

    /**
     * Reads the configuration of a model folder; opens the checkpoint to see the embedding.
     *
     * @throws CheckpointException if params.json or the checkpoint is missing, broken, or of a
     *     model that is not supported
     */
    public static ModelConfig read(Path folder) throws IOException {
        MetaParams params;
        try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
            params = checkpoint.params();
        }
        boolean llama3 = hasLlama3Tokenizer(folder, params.vocabularySize().getAsInt());
        if (llama3 && params.vocabularySize().getAsInt() <= SPECIAL_TOKENS) {
            throw new CheckpointException(
                    folder.resolve("tokenizer.model"),
                    ("is a rank file, whose tokens and Llama 3's %d special ones do not fit"
                                    + " a vocabulary of %d")
                            .formatted(SPECIAL_TOKENS, params.vocabularySize().getAsInt()));
        }
        return of(params, llama3);
    }

    /**
     * @param params with the size of the vocabulary
     */
    static ModelConfig of(MetaParams params, boolean llama3Tokenizer) {
        int vocabulary = params.vocabularySize().orElseThrow();
        return new ModelConfig(
                Architecture.LLAMA,
                params.dim(),
                params.layers(),
                AttentionConfig.plain(params.heads(), params.kvHeads(), params.headDim()),
                params.ffnWidth(),
                false,
                vocabulary,
                context(params, llama3Tokenizer),
                params.normEps(),
                new Rope(params.ropeTheta(), scaling(params)),
                false,
                llama3Tokenizer
                        ? LLAMA3_ENDS.stream().map(i -> vocabulary - SPECIAL_TOKENS + i).toList()
                        : List.of(SENTENCE_PIECE_END));
    }

    private static boolean hasLlama3Tokenizer(Path folder, int vocabulary) throws IOException {
        Path file = folder.resolve("tokenizer.model");
        if (!Files.isRegularFile(file)) return vocabulary == LLAMA3_VOCABULARY;
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(LINE_BYTES), StandardCharsets.ISO_8859_1)
                    .matches(RANK_LINE);
        }
    }

    private static int context(MetaParams params, boolean llama3Tokenizer) {
        if (params.maxSequence().isPresent()) return params.maxSequence().getAsInt();
        if (params.scaledRope()) return SCALED_CONTEXT;
        if (llama3Tokenizer) return LLAMA3_CONTEXT;
        if (params.ropeTheta() > PLAIN_THETA) return CODE_LLAMA_CONTEXT;
        boolean llama1 =
                params.normEps() == LLAMA1_EPS
                        || params.dim() == LLAMA1_65B_DIM && params.kvHeads() == params.heads();
        return llama1 ? LLAMA1_CONTEXT : LLAMA2_CONTEXT;
    }

    private static RopeScaling scaling(MetaParams params) {
        if (!params.scaledRope()) return RopeScaling.NONE;
        double factor = params.dim() <= WIDEST_SMALL ? SMALL_SCALE : SCALE;
        return new RopeScaling.Llama3(factor, 1, 4, LLAMA3_CONTEXT);
    }
}

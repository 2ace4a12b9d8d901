package org.tokenrate.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.device.Rope;

/**
 * A decoder's shape, as Hugging Face's {@code config.json} gives it.
 *
 * @param architecture the family: names of tensors
 * @param hiddenSize width of the residual stream
 * @param layers decoder layers
 * @param attention its heads, and what the family adds to them
 * @param intermediateSize width of the MLP
 * @param mlpBias whether the MLP's projections have biases
 * @param vocabularySize rows of the embedding
 * @param maxPositions longest context in tokens
 * @param rmsNormEps added to the mean square before its root
 * @param rope the rotary embedding
 * @param tiedEmbeddings whether the output projection is the embedding
 * @param eosTokens ids that end a text
 */
public record ModelConfig(
        Architecture architecture,
        int hiddenSize,
        int layers,
        AttentionConfig attention,
        int intermediateSize,
        boolean mlpBias,
        int vocabularySize,
        int maxPositions,
        float rmsNormEps,
        Rope rope,
        boolean tiedEmbeddings,
        List<Integer> eosTokens) {

    public ModelConfig {
        eosTokens = List.copyOf(eosTokens);
    }

    public int heads() {
        return attention.heads();
    }

    public int kvHeads() {
        return attention.kvHeads();
    }

    public int headDim() {
        return attention.headDim();
    }

    public int queryWidth() {
        return heads() * headDim();
    }

    public int kvWidth() {
        return kvHeads() * headDim();
    }

    /** Width of the fused query, key and value projection. */
    public int qkvWidth() {
        return queryWidth() + 2 * kvWidth();
    }

    /**
     * Reads {@code config.json} of a model folder.
     *
     * @throws CheckpointException if it is missing, broken, or of a model that is not supported
     */
    public static ModelConfig read(Path folder) throws IOException {
        return ConfigReader.read(folder);
    }

    /**
     * Reads a configuration from the bytes of a {@code config.json}.
     *
     * @param source where it is from, for errors
     * @throws CheckpointException as {@link #read}
     */
    public static ModelConfig parse(Path source, byte[] json) throws IOException {
        return ConfigReader.parse(source, json);
    }
}

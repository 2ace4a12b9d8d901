package org.tokenrate.device;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;

/**
 * The operations that a decoder needs, on tensors that only the device can read. {@code rows} is
 * the number of leading rows that hold tokens; what is behind them may be overwritten with
 * anything.
 *
 * <p>Called from one thread at a time, but not always from the same: one loads, one computes. An
 * operation may be queued and return before it is done; it has read the arrays of its arguments by
 * then. Only {@link #sample} and {@link #read} wait for what they return.
 *
 * <p>Several devices can be the ranks of one model, each with its share of the heads and columns;
 * they are made together, and each has a thread of its own. All of them call {@link #addLinear} and
 * {@link #gather} in the same order with the same number of rows.
 */
public interface Device extends AutoCloseable {
    /** The device in words, for reports. */
    String description();

    /** Element type of weights and KV cache. */
    DType dtype();

    /** Versions of the libraries behind it, by name. */
    Map<String, String> versions();

    /**
     * Bytes that could still be allocated for KV blocks; of a memory that ranks have in common,
     * this one's share.
     */
    long freeBytes();

    Residual newResidual(int rows, int columns);

    /** A tensor of 32-bit floats: logits. */
    Tensor newTensor(int rows, int columns);

    /**
     * A tensor for products that the same layer goes on with: of 32-bit floats or of {@link
     * #dtype()}, as suits the device.
     */
    Tensor newProduct(int rows, int columns);

    /** What products take as their input: of {@link #dtype()}, or of f32 as suits the device. */
    Tensor newInput(int rows, int columns);

    /**
     * Loads a linear layer whose outputs are those of the parts, one below the other.
     *
     * @param parts all dense, or all of 4 bits in groups of the same size
     * @param bias a vector for each part, added to its outputs; or none at all
     */
    Matrix loadMatrix(List<LinearData> parts, List<TensorData> bias) throws IOException;

    Table loadTable(TensorData data) throws IOException;

    /**
     * Bytes of one KV block: keys and values of every layer for its tokens.
     *
     * @param blockTokens tokens of a block, a multiple of {@link KvCache#TILE_TOKENS}
     * @throws IllegalArgumentException as {@link KvCache#blockElements} says
     */
    long kvBlockBytes(int blockTokens, int layers, int kvHeads, int headDim);

    /**
     * Makes KV memory.
     *
     * @param blockTokens tokens of a block, a multiple of {@link KvCache#TILE_TOKENS}
     * @throws IllegalArgumentException as {@link KvCache#blockElements} says
     */
    KvCache newKvCache(int blocks, int blockTokens, int layers, int kvHeads, int headDim);

    /**
     * Runs an iteration's operations, from {@link #embed} to the logits, all of them on this batch
     * and this cache. A device may record them and play them back for a batch of the same form, so
     * they must follow from its form alone.
     */
    void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations);

    /** {@code x[t] = table[tokens[t]]}. */
    void embed(Table table, int[] tokens, int rows, Residual x);

    /** {@code out[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight}. */
    void rmsNorm(Residual x, Table weight, float eps, int rows, Tensor out);

    /** The same for chosen rows: {@code out[i] = norm(x[index[i]])}. */
    void rmsNorm(Residual x, int[] index, Table weight, float eps, int rows, Tensor out);

    /** {@code y = x W^T + bias}. */
    void linear(Tensor x, Matrix w, int rows, Tensor y);

    /**
     * {@code x += sum over the ranks of (part W^T + bias)}, where each rank has its part of the
     * inputs and of the weights. All ranks get the same {@code x}, to the last bit and in every
     * run. A device may add in the next {@link #rmsNorm} only, so there is one before the next
     * product is added.
     */
    void addLinear(Tensor part, Matrix w, int rows, Residual x);

    /**
     * Norms queries and keys by head, if the model does, turns them by their positions (half-split
     * rotary embedding) and writes keys and values to the cache.
     *
     * @param qkv {@code [tokens, kvHeads (group + 2) headDim]} of {@link #newProduct}: for each KV
     *     head its queries, its key, its value; the queries are turned in place
     * @param norms weights of the heads' norms, for a model that has them
     */
    void ropeAndStore(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            Optional<HeadNorms> norms);

    /**
     * Causal attention of every token over its own sequence's cache.
     *
     * @param window a token at position p sees positions {@code p - window + 1} to p; {@link
     *     Integer#MAX_VALUE} for all up to p
     * @param out {@code [tokens, heads headDim]}
     */
    void attention(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            int window,
            Tensor out);

    /**
     * {@code out = silu(x gate^T) * (x up^T)}, the first half of a gated MLP; a matrix's bias is
     * added to its product.
     *
     * @param gated {@code [rows, n]} of {@link #newProduct}, for what lies in between
     * @param out {@code [rows, n]} of {@link #newInput}
     */
    void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out);

    /**
     * Joins what ranks have computed of rows, the parts side by side in the order of the ranks, on
     * rank 0. Does nothing for a single rank.
     *
     * @param part {@code [rows, columns of this rank]} of {@link #newTensor}
     * @param whole {@code [rows, columns of all ranks]} of {@link #newTensor} on rank 0; on the
     *     others anything, and not touched
     */
    void gather(Tensor part, int rows, Tensor whole);

    /**
     * Says that a rank has failed: what waits in {@link #addLinear} or {@link #gather} of this
     * device fails within moments, and so does every later call of them. From any thread.
     */
    void abort();

    /**
     * The times of what is queued from now on, if operations are queued; empty if an operation is
     * done when its call returns. Once at most, before the first iteration.
     */
    default Optional<Timeline> newTimeline() {
        return Optional.empty();
    }

    /** Chooses a token from each row of logits: {@code chosen[i]} for sampled sequence i. */
    void sample(Tensor logits, Batch batch, int[] chosen);

    /** Copies a row out; for tests and diagnosis. */
    float[] read(Tensor tensor, int row);

    /**
     * Frees everything of the device. No operation runs, and other ranks may be closed already.
     * Idempotent.
     */
    @Override
    void close();
}

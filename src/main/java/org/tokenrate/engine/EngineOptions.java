package org.tokenrate.engine;

/**
 * What an engine is started with.
 *
 * @param engine auto or an engine's name, perhaps with values of its own behind colons
 * @param model {@code builtin} or a model folder
 * @param modelFormat hf, llama, awq or auto
 * @param dtype auto, f32, bf16 or f16
 * @param tp tensor-parallel ranks
 * @param cacheCount ratio of the memory free after the weights are loaded that becomes KV blocks,
 *     in (0, 1)
 * @param maxBatchSize most sequences that run at once
 * @param cudaGraphs whether the engine records decoding iterations as CUDA graphs, if it is cuda
 * @param stages whether the engine takes the times of its stages
 */
public record EngineOptions(
        String engine,
        String model,
        String modelFormat,
        String dtype,
        int tp,
        double cacheCount,
        int maxBatchSize,
        boolean cudaGraphs,
        boolean stages) {
    /** Without the stages' times. */
    public EngineOptions(
            String engine,
            String model,
            String modelFormat,
            String dtype,
            int tp,
            double cacheCount,
            int maxBatchSize,
            boolean cudaGraphs) {
        this(engine, model, modelFormat, dtype, tp, cacheCount, maxBatchSize, cudaGraphs, false);
    }

    /** The same, with the stages' times or without. */
    public EngineOptions withStages(boolean taken) {
        return new EngineOptions(
                engine, model, modelFormat, dtype, tp, cacheCount, maxBatchSize, cudaGraphs, taken);
    }
}

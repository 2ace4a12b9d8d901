package org.tokenrate.engine;

import java.util.Map;

/**
 * What an engine is and runs on.
 *
 * @param name the engine's name as {@code -p engine=} knows it, never {@code auto}
 * @param device the device in words, e.g. the CPU's model and instruction set
 * @param dtype of weights and KV cache: f32, bf16, f16
 * @param tp tensor-parallel ranks
 * @param model the model's name: a folder's name, or builtin
 * @param modelFormat hf, llama or awq
 * @param modelSha256 over the model's files; empty for an engine without a model
 * @param kvBlocks KV blocks in the pool
 * @param kvBlockTokens tokens a block holds
 * @param kvBytes bytes of the whole pool
 * @param weightBytes bytes of weights on the device
 * @param versions library versions, by name
 */
public record EngineInfo(
        String name,
        String device,
        String dtype,
        int tp,
        String model,
        String modelFormat,
        String modelSha256,
        long kvBlocks,
        int kvBlockTokens,
        long kvBytes,
        long weightBytes,
        Map<String, String> versions) {}

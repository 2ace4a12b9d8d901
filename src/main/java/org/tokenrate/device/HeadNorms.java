package org.tokenrate.device;

/**
 * Norms of single heads, before they are turned: {@code head / sqrt(mean(head^2) + eps) * weight}.
 *
 * @param query weight of each query head, {@code [headDim]}
 * @param key weight of each key head, {@code [headDim]}
 */
public record HeadNorms(Table query, Table key, float eps) {}

package org.tokenrate.engine;

/**
 * What to generate.
 *
 * @param promptTokens token ids of the prompt; at least one; not copied, not changed
 * @param maxNewTokens tokens to generate at most; at least one
 * @param sampling how the next token is chosen
 * @param ignoreEos go on past end-of-sequence tokens, so that exactly {@code maxNewTokens} come
 * @param stream hear of tokens as they come; otherwise of all at once, at the end
 */
public record GenerationRequest(
        int[] promptTokens,
        int maxNewTokens,
        SamplingParams sampling,
        boolean ignoreEos,
        boolean stream) {
    public GenerationRequest {
        if (promptTokens.length < 1) {
            throw new IllegalArgumentException("a prompt needs at least one token");
        }
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException(
                    "maxNewTokens=" + maxNewTokens + " must be at least 1");
        }
    }
}

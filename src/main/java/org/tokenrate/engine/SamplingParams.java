package org.tokenrate.engine;

/**
 * How the next token is chosen from the logits: the {@code topK} likeliest are kept, then the
 * fewest of them whose probability reaches {@code topP}, after dividing logits by {@code
 * temperature}.
 *
 * @param topK candidates kept; 1 is greedy; 0 keeps all
 * @param topP nucleus probability in (0, 1]
 * @param temperature at least 0; 0 is greedy
 * @param seed of the request's own counter-based generator
 */
public record SamplingParams(int topK, float topP, float temperature, long seed) {
    public static final SamplingParams GREEDY = new SamplingParams(1, 1f, 1f, 0);

    public SamplingParams {
        if (topK < 0) throw new IllegalArgumentException("topK=" + topK + " must be 0 or more");
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("topP=" + topP + " must be in (0, 1]");
        }
        if (!(temperature >= 0 && temperature <= 100)) {
            throw new IllegalArgumentException(
                    "temperature=" + temperature + " must be from 0 to 100");
        }
    }

    public boolean greedy() {
        return topK == 1 || temperature == 0;
    }
}

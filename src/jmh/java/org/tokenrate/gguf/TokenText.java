package org.tokenrate.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A vocabulary for an engine that only takes and gives text: a token is its id in hexadecimal
 * digits, as many for each as the largest needs. So text and tokens are the same thing, whatever
 * ids the tokens have.
 *
 * @param first the other engine's id of the token 0
 * @param count tokens of the vocabulary
 */
public record TokenText(int first, int count) {
    private int digits() {
        return Integer.toHexString(first + count - 1).length();
    }

    public String text(int... tokens) {
        int digits = digits();
        StringBuilder text = new StringBuilder(tokens.length * digits);
        for (int token : tokens) {
            for (int digit = digits - 1; digit >= 0; digit--) {
                text.append(Character.forDigit(first + token >> 4 * digit & 0xf, 16));
            }
        }
        return text.toString();
    }

    /**
     * @throws IllegalArgumentException if the text is not whole tokens
     */
    public int[] tokens(String text) {
        int digits = digits();
        if (text.length() % digits != 0) {
            throw new IllegalArgumentException(
                    "'%s' is not tokens of %d digits each".formatted(text, digits));
        }
        return IntStream.range(0, text.length() / digits)
                .map(i -> Integer.parseInt(text, i * digits, (i + 1) * digits, 16) - first)
                .toArray();
    }

    /**
     * As llama.cpp's tokenizer that takes the longest match from the left (RWKV's): no token begins
     * another, so there is only one. It has neither a beginning nor an end of a text.
     */
    void describe(GgufMetadata metadata) {
        List<String> tokens = new ArrayList<>();
        for (int token = -first; token < count; token++) tokens.add(text(token));
        metadata.put("tokenizer.ggml.model", "rwkv").put("tokenizer.ggml.tokens", tokens);
    }
}

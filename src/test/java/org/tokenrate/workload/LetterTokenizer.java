package org.tokenrate.workload;

import java.util.function.IntConsumer;
import org.tokenrate.tokenizer.StreamingDetokenizer;
import org.tokenrate.tokenizer.Tokenizer;

/** One letter a token; the test hears of every token that is detokenized. */
final class LetterTokenizer implements Tokenizer {
    private final IntConsumer onToken;

    LetterTokenizer() {
        this(token -> {});
    }

    LetterTokenizer(IntConsumer onToken) {
        this.onToken = onToken;
    }

    @Override
    public int[] encode(String text) {
        return text.chars().map(c -> c - 'a').toArray();
    }

    @Override
    public String decode(int[] tokens) {
        var out = new StringBuilder();
        newDetokenizer().append(tokens, tokens.length, out);
        return out.toString();
    }

    @Override
    public int vocabularySize() {
        return 256;
    }

    @Override
    public StreamingDetokenizer newDetokenizer() {
        return new StreamingDetokenizer() {
            @Override
            public void append(int[] tokens, int count, StringBuilder out) {
                for (int i = 0; i < count; i++) {
                    onToken.accept(tokens[i]);
                    out.append((char) ('a' + tokens[i] % 26));
                }
            }

            @Override
            public void finish(StringBuilder out) {}
        };
    }

    @Override
    public void close() {}
}

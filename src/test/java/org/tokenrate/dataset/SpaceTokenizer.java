package org.tokenrate.dataset;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.tokenrate.tokenizer.StreamingDetokenizer;
import org.tokenrate.tokenizer.Tokenizer;

/** A token for each run of characters other than the space U+0020; counts what it is given. */
final class SpaceTokenizer implements Tokenizer {
    final AtomicLong calls = new AtomicLong();

    @Override
    public int[] encode(String text) {
        calls.incrementAndGet();
        return Arrays.stream(text.split(" "))
                .filter(word -> !word.isEmpty())
                .mapToInt(word -> word.hashCode() & 0xffff)
                .toArray();
    }

    @Override
    public String decode(int[] tokens) {
        return Arrays.stream(tokens).mapToObj(t -> "#" + t).collect(Collectors.joining(" "));
    }

    @Override
    public int vocabularySize() {
        return 1 << 16;
    }

    @Override
    public StreamingDetokenizer newDetokenizer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}

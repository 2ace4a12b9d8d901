package org.tokenrate.tokenizer;

/** A model's tokenizer. Thread-safe. */
public interface Tokenizer extends AutoCloseable {
    /** Token ids of the text, with the special tokens that the model's own tokenizer adds. */
    int[] encode(String text);

    /** The text of the tokens, special tokens left out. */
    String decode(int[] tokens);

    /** One more than the largest token id. */
    int vocabularySize();

    /** A detokenizer for one answer as it streams in. */
    StreamingDetokenizer newDetokenizer();

    @Override
    void close();
}

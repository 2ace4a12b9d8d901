package org.tokenrate.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code tokenizer.json}, read by Hugging Face's own library through DJL: no truncation, no
 * padding, whatever the file says (as {@code transformers} has it), and with special tokens.
 */
final class JsonTokenizer implements Tokenizer {
    static {
        Djl.stayOffline();
    }

    private static final Map<String, String> OPTIONS =
            Map.of("addSpecialTokens", "true", "truncation", "false", "padding", "false");

    private final HuggingFaceTokenizer tokenizer;
    private final int vocabularySize;
    private final Optional<TokenTable> table;

    private JsonTokenizer(
            HuggingFaceTokenizer tokenizer, int vocabularySize, Optional<TokenTable> table) {
        this.tokenizer = tokenizer;
        this.vocabularySize = vocabularySize;
        this.table = table;
    }

    static JsonTokenizer read(Path json, Path config) throws IOException {
        Vocabulary vocabulary = Vocabulary.read(json);
        String definition = SpecialTokens.apply(json, config, vocabulary);
        HuggingFaceTokenizer tokenizer;
        try {
            tokenizer =
                    HuggingFaceTokenizer.newInstance(
                            new ByteArrayInputStream(definition.getBytes(StandardCharsets.UTF_8)),
                            OPTIONS);
        } catch (RuntimeException e) {
            throw new IOException(
                    json + " is not a tokenizer that can be read: " + e.getMessage(), e);
        }
        return new JsonTokenizer(tokenizer, vocabulary.size(), TokenTable.of(vocabulary));
    }

    @Override
    public int[] encode(String text) {
        // HuggingFaceTokenizer.encode also copies every token's spelling, mask and span to Java,
        // which takes as long as tokenizing.
        var library = TokenizersLibrary.LIB;
        long encoding =
                library.encode(
                        tokenizer.getHandle(), UnicodeText.withoutLoneSurrogates(text), true);
        try {
            return Arrays.stream(library.getTokenIds(encoding)).mapToInt(id -> (int) id).toArray();
        } finally {
            library.deleteEncoding(encoding);
        }
    }

    @Override
    public String decode(int[] tokens) {
        return tokenizer.decode(Arrays.stream(tokens).asLongStream().toArray(), true);
    }

    @Override
    public int vocabularySize() {
        return vocabularySize;
    }

    @Override
    public StreamingDetokenizer newDetokenizer() {
        return table.map(TokenTable::newDetokenizer)
                .orElseGet(() -> new WindowDetokenizer(this::decode));
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}

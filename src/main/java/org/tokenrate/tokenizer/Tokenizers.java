package org.tokenrate.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;

/** Minimal local version until the tokenizer part lands: a token a byte. */
public final class Tokenizers {
    private Tokenizers() {}

    public static Tokenizer load(Path modelFolder) {
        return new Tokenizer() {
            @Override
            public int[] encode(String text) {
                byte[] bytes = text.getBytes(UTF_8);
                int[] tokens = new int[bytes.length];
                for (int i = 0; i < bytes.length; i++) tokens[i] = bytes[i] & 0xff;
                return tokens;
            }

            @Override
            public String decode(int[] tokens) {
                byte[] bytes = new byte[tokens.length];
                for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) tokens[i];
                return new String(bytes, UTF_8);
            }

            @Override
            public int vocabularySize() {
                return 256;
            }

            @Override
            public StreamingDetokenizer newDetokenizer() {
                var bytes = new ByteArrayOutputStream();
                return new StreamingDetokenizer() {
                    @Override
                    public void append(int[] tokens, int count, StringBuilder out) {
                        for (int i = 0; i < count; i++) bytes.write(tokens[i]);
                    }

                    @Override
                    public void finish(StringBuilder out) {
                        out.append(bytes.toString(UTF_8));
                        bytes.reset();
                    }
                };
            }

            @Override
            public void close() {}
        };
    }
}

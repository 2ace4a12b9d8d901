package org.tokenrate.tokenizer;

/** Byte-level BPE: the text is the lossy UTF-8 of all tokens' bytes. Allocates nothing. */
final class ByteLevelDetokenizer implements StreamingDetokenizer {
    private final TokenTable table;
    private final Utf8Decoder decoder = new Utf8Decoder();

    ByteLevelDetokenizer(TokenTable table) {
        this.table = table;
    }

    @Override
    public void append(int[] tokens, int count, StringBuilder out) {
        for (int i = 0; i < count; i++) {
            int id = tokens[i];
            if (table.kind(id) != TokenTable.NONE) table.decode(id, decoder, out);
        }
    }

    @Override
    public void finish(StringBuilder out) {
        decoder.finish(out);
    }
}

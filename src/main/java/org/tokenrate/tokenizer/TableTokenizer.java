package org.tokenrate.tokenizer;

/** A tokenizer whose tokens' texts are in a table, and which puts the same tokens around a text. */
abstract class TableTokenizer implements Tokenizer {
    private final TokenTable table;
    private final int[] before;
    private final int[] after;

    TableTokenizer(TokenTable table, int[] before, int[] after) {
        this.table = table;
        this.before = before;
        this.after = after;
    }

    /** The tokens of a text without lone surrogates, and nothing around them. */
    abstract int[] ordinary(String text);

    @Override
    public final int[] encode(String text) {
        int[] own = ordinary(UnicodeText.withoutLoneSurrogates(text));
        int[] tokens = new int[before.length + own.length + after.length];
        System.arraycopy(before, 0, tokens, 0, before.length);
        System.arraycopy(own, 0, tokens, before.length, own.length);
        System.arraycopy(after, 0, tokens, before.length + own.length, after.length);
        return tokens;
    }

    @Override
    public final String decode(int[] tokens) {
        return table.decode(tokens);
    }

    @Override
    public final int vocabularySize() {
        return table.size();
    }

    @Override
    public final StreamingDetokenizer newDetokenizer() {
        return table.newDetokenizer();
    }
}

package org.tokenrate.tokenizer;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.GptBytePairEncodingParams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tiktoken rank file: Llama 3's {@code tokenizer.model} and Qwen's {@code qwen.tiktoken}, encoded
 * by jtokkit.
 *
 * <p>Text that looks like a special token is encoded as text, which is the default of Llama 3's own
 * code: a prompt of a dataset must not end in the middle. What is a letter, a digit or a space is
 * Java's to say: characters that Unicode has got since this Java's tables may be cut otherwise than
 * by tiktoken.
 */
final class TiktokenTokenizer extends TableTokenizer {
    private final Encoding encoding;
    private final TiktokenFamily family;

    private TiktokenTokenizer(
            Encoding encoding, TiktokenFamily family, TokenTable table, int[] before, int[] after) {
        super(table, before, after);
        this.encoding = encoding;
        this.family = family;
    }

    static TiktokenTokenizer read(Path file, TiktokenFamily family, TokenizerSettings settings)
            throws IOException {
        List<byte[]> ranks = TiktokenRanks.read(file);
        var table =
                new TokenTable.Builder(
                        ranks.size() + family.specials().size(), new TokenTable.Form.ByteLevel());
        Map<byte[], Integer> ids = new HashMap<>(); // by identity, which jtokkit does not mind
        for (byte[] token : ranks) {
            ids.put(token, ids.size());
            table.add(TokenTable.TEXT, token);
        }
        family.specials().forEach(special -> table.addNone());
        // jtokkit is asked for ordinary text only; the special tokens are ours to add.
        var parameters =
                new GptBytePairEncodingParams(file.toString(), family.words(), ids, Map.of());
        var registry = Encodings.newLazyEncodingRegistry();
        registry.registerGptBytePairEncoding(parameters);
        Encoding encoding = registry.getEncoding(file.toString()).orElseThrow();
        int[] before = {};
        int[] after = {};
        if (settings.addBos().orElse(family.addBos())) {
            before = special(file, family, ranks.size(), settings.bos().orElse(family.bos()));
        }
        if (settings.addEos().orElse(false)) {
            after = special(file, family, ranks.size(), settings.eos().orElse(family.eos()));
        }
        return new TiktokenTokenizer(encoding, family, table.build(), before, after);
    }

    private static int[] special(Path file, TiktokenFamily family, int first, String name)
            throws IOException {
        int place = family.specials().indexOf(name);
        if (place >= 0) return new int[] {first + place};
        throw new IOException(
                String.format(
                        "tokenizer_config.json adds \"%s\", which is no special token of %s",
                        name, file));
    }

    @Override
    int[] ordinary(String text) {
        return encoding.encodeOrdinary(family.normalize().apply(text)).toArray();
    }

    @Override
    public void close() {}
}

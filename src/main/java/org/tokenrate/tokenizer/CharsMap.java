package org.tokenrate.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Optional;

/**
 * SentencePiece's normalization rules ({@code precompiled_charsmap}): the length of a trie in
 * bytes, the trie, and the replacements that its leaves point to, each ended by a zero byte. The
 * trie is a double array as darts-clone has it, which follows any offset without a look at the
 * array's end: so every node that can be reached is looked at here first.
 */
final class CharsMap {
    private static final int BLOCK = 256;

    private CharsMap() {}

    /** What is wrong with the map; empty if it can do no harm. */
    static Optional<String> fault(byte[] map) {
        if (map.length == 0) return Optional.empty();
        var bytes = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
        if (map.length < 4 + 4 * BLOCK) return Optional.of("has only " + map.length + " bytes");
        long length = Integer.toUnsignedLong(bytes.getInt());
        if (length % (4 * BLOCK) != 0 || length == 0 || length >= map.length - 4) {
            return Optional.of("has a trie of " + length + " bytes in " + map.length);
        }
        var trie = bytes.slice(4, (int) length).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        byte[] texts = new byte[map.length - 4 - (int) length];
        System.arraycopy(map, 4 + (int) length, texts, 0, texts.length);
        if (texts[texts.length - 1] != 0) return Optional.of("has a replacement without an end");
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
        } catch (CharacterCodingException e) {
            return Optional.of("has a replacement that is not UTF-8");
        }

        var seen = new BitSet(trie.limit());
        var open = new ArrayDeque<Integer>();
        open.add(0);
        seen.set(0);
        while (!open.isEmpty()) {
            int node = open.remove();
            int unit = trie.get(node);
            int children = node ^ offset(unit);
            if (children < 0 || (children | BLOCK - 1) >= trie.limit()) {
                return Optional.of("has a node whose children are outside the trie");
            }
            if (hasLeaf(unit)) {
                int text = trie.get(children) & Integer.MAX_VALUE;
                if (text >= texts.length || (texts[text] & 0xc0) == 0x80) {
                    return Optional.of("has a leaf that points to no replacement");
                }
            }
            for (int label = 0; label < BLOCK; label++) {
                int child = children ^ label;
                if (label(trie.get(child)) == label && !seen.get(child)) {
                    seen.set(child);
                    open.add(child);
                }
            }
        }
        return Optional.empty();
    }

    private static boolean hasLeaf(int unit) {
        return (unit >>> 8 & 1) == 1;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }

    /** The byte that leads to the unit; negative for a leaf, to which none does. */
    private static int label(int unit) {
        return unit & (1 << 31 | 0xff);
    }
}

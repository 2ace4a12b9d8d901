package org.tokenrate.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tiktoken rank file: on each line a token's bytes in base64, a space and its rank, which is its
 * id.
 */
final class TiktokenRanks {
    /** The largest known (o200k) has 3.6 MB and 199,998 ranks. */
    static final int MAX_BYTES = 64 << 20;

    static final int MAX_RANKS = 1 << 20;

    /** The longest known is 128 spaces; the library's table has a place for every length. */
    static final int MAX_TOKEN_BYTES = 1 << 12;

    private TiktokenRanks() {}

    /**
     * The tokens' bytes by rank: all ranks from 0 on, all single bytes among them, none twice.
     *
     * @throws IOException one sentence with the file, the line and what is wrong with it
     */
    static List<byte[]> read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new IOException(
                    file + " has " + size + " bytes; a rank file has at most " + MAX_BYTES);
        }
        Map<Integer, byte[]> tokens = new HashMap<>();
        Map<ByteBuffer, Integer> lines = new HashMap<>();
        int number = 0;
        // ISO 8859-1 takes any byte, so that a broken one is refused with its line.
        for (String line : Files.readString(file, StandardCharsets.ISO_8859_1).split("\n", -1)) {
            number++;
            if (line.isBlank()) continue;
            if (tokens.size() == MAX_RANKS) {
                throw fault(file, number, "is one more than " + MAX_RANKS + " ranks");
            }
            int space = line.indexOf(' ');
            if (space < 0) throw fault(file, number, "has no space between token and rank");
            byte[] token = token(file, number, line.substring(0, space));
            int rank = rank(file, number, line.substring(space + 1).strip());
            Integer other = lines.put(ByteBuffer.wrap(token), number);
            if (other != null) throw fault(file, number, "has the token of line " + other);
            if (tokens.put(rank, token) != null) {
                throw fault(file, number, "has the rank " + rank + ", as has a line before it");
            }
        }
        return complete(file, tokens, lines);
    }

    private static List<byte[]> complete(
            Path file, Map<Integer, byte[]> tokens, Map<ByteBuffer, Integer> lines)
            throws IOException {
        if (tokens.isEmpty()) throw new IOException(file + " has no ranks");
        var inOrder = new ArrayList<byte[]>(tokens.size());
        for (int rank = 0; rank < tokens.size(); rank++) {
            byte[] token = tokens.get(rank);
            if (token == null) {
                throw new IOException(
                        String.format(
                                "%s has %d ranks, and rank %d is not among them",
                                file, tokens.size(), rank));
            }
            inOrder.add(token);
        }
        for (int b = 0; b < 256; b++) {
            if (!lines.containsKey(ByteBuffer.wrap(new byte[] {(byte) b}))) {
                throw new IOException(
                        String.format("%s has no rank for the single byte 0x%02X", file, b));
            }
        }
        return inOrder;
    }

    private static byte[] token(Path file, int number, String base64) throws IOException {
        byte[] token;
        try {
            token = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw fault(file, number, "is not base64: " + e.getMessage());
        }
        if (token.length == 0) throw fault(file, number, "has an empty token");
        if (token.length > MAX_TOKEN_BYTES) {
            throw fault(
                    file,
                    number,
                    "has a token of " + token.length + " bytes of at most " + MAX_TOKEN_BYTES);
        }
        return token;
    }

    private static int rank(Path file, int number, String text) throws IOException {
        try {
            int rank = Integer.parseInt(text);
            if (rank >= 0 && rank < MAX_RANKS) return rank;
        } catch (NumberFormatException e) {
            // refused below
        }
        String shown = text.length() > 20 ? text.substring(0, 20) + "…" : text;
        shown = shown.replaceAll("\\p{Cntrl}", "?");
        throw fault(
                file, number, "has the rank \"" + shown + "\", no number from 0 to " + MAX_RANKS);
    }

    private static IOException fault(Path file, int line, String what) {
        return new IOException(file + ", line " + line + " " + what);
    }
}

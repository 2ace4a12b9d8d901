package org.tokenrate.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Random;

/**
 * Writes a file shaped like ShareGPT_V3_unfiltered_cleaned_split.json, of any size: two-space
 * indentation, raw UTF-8, about 6.9 kB a conversation with most of the bytes after its first two
 * turns, escaped newlines and quotes, some code, some Chinese, some emoji, one conversation in
 * sixteen with fewer than two turns. The same size and seed give the same bytes.
 */
public final class GeneratedShareGpt {
    private static final String[] WORDS =
            ("the of and to in is that for it as with on be this are by an from or which you can"
                            + " have not model data time function system value number example user"
                            + " result method process information following different important"
                            + " between through another however because development application"
                            + " I we they about more when your what how create list table server"
                            + " water music history language energy market design question answer")
                    .split(" ");
    private static final String[] RARE = {
        "\\n\\n", "\\n", "\\n- ", "\\\"quoted\\\" ",
                "\\n```python\\nfor i in range(10):\\n\\tprint(i)\\n```\\n",
        "caf\u00e9 ", "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\ud83d\ude80 ", "C:\\\\temp\\\\x ",
                "\\u2014 "
    };

    private final OutputStream out;
    private final Random random;
    private final byte[] prose = new byte[1 << 16];
    private final int[] starts;
    private long written;

    private GeneratedShareGpt(OutputStream out, long seed) {
        this.out = out;
        this.random = new Random(seed);
        this.starts = fillProse();
    }

    /**
     * Writes at least {@code bytes} bytes, and no more than one conversation over it.
     *
     * @return conversations with at least two turns in it
     */
    public static int write(Path file, long bytes, long seed) throws IOException {
        try (var out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 18)) {
            return new GeneratedShareGpt(out, seed).writeAll(bytes);
        }
    }

    private int writeAll(long bytes) throws IOException {
        int usable = 0;
        ascii("[");
        for (int i = 0; written < bytes - 2; i++) {
            int turns = random.nextInt(16) == 0 ? random.nextInt(2) : 2 + random.nextInt(9);
            if (turns >= 2) usable++;
            ascii((i == 0 ? "" : ",") + "\n  {\n    \"id\": \"gen" + i + "_0\",\n");
            ascii("    \"conversations\": [");
            for (int t = 0; t < turns; t++) {
                boolean human = t % 2 == 0;
                ascii(t == 0 ? "\n" : ",\n");
                ascii("      {\n        \"from\": \"" + (human ? "human" : "gpt") + "\",\n");
                ascii("        \"value\": \"");
                text(heavyTailed(human ? 150 : 1300, human ? 1.3 : 0.9));
                ascii("\"\n      }");
            }
            ascii(turns == 0 ? "]\n  }" : "\n    ]\n  }");
        }
        ascii("\n]");
        return usable;
    }

    /** A log-normal length with the given median. */
    private int heavyTailed(int median, double sigma) {
        return (int) Math.min(60_000, median * StrictMath.exp(sigma * random.nextGaussian()));
    }

    /** About {@code length} bytes of prose, cut where words begin. */
    private void text(int length) throws IOException {
        while (length > 0) {
            int first = random.nextInt(starts.length - 1);
            int last = first;
            while (last < starts.length - 1 && starts[last] - starts[first] < length) last++;
            out.write(prose, starts[first], starts[last] - starts[first]);
            written += starts[last] - starts[first];
            length -= Math.max(1, starts[last] - starts[first]);
        }
    }

    private int[] fillProse() {
        var begin = new ArrayList<Integer>();
        int at = 0;
        while (true) {
            String word =
                    random.nextInt(14) == 0
                            ? RARE[random.nextInt(RARE.length)]
                            : WORDS[random.nextInt(WORDS.length)] + " ";
            byte[] utf8 = word.getBytes(StandardCharsets.UTF_8);
            begin.add(at);
            if (at + utf8.length > prose.length) break;
            System.arraycopy(utf8, 0, prose, at, utf8.length);
            at += utf8.length;
        }
        return begin.stream().mapToInt(Integer::intValue).toArray();
    }

    private void ascii(String s) throws IOException {
        out.write(s.getBytes(StandardCharsets.US_ASCII));
        written += s.length();
    }

    /** Arguments: file, mebibytes. */
    public static void main(String[] args) throws IOException {
        int usable = write(Path.of(args[0]), Long.parseLong(args[1]) << 20, 1);
        System.out.println(args[0] + ": " + usable + " usable conversations");
    }
}

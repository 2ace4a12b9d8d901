package org.tokenrate.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TerminalTextTest {
    private final TerminalText ascii = new TerminalText(US_ASCII);
    private final TerminalText unicode = new TerminalText(UTF_8);

    @Test
    void binsArePowersOfTwoFromTheLeastToTheGreatest() {
        assertEquals(
                """
                       2 to 3                 3  #############################################
                       4 to 7                 0
                       8 to 15                1  ###############
                """,
                ascii.histogram(new int[] {3, 2, 3, 15}));
    }

    @Test
    void unicodeBarsAreFinerByEighths() {
        int[] values = new int[91];
        values[0] = 1;
        for (int i = 1; i < values.length; i++) values[i] = 2;
        // 45 cells for 90: half a cell for one.
        assertTrue(unicode.histogram(values).contains(" 1  \u258c\n"));
    }

    @Test
    void oneAmongMillionsStillShows() {
        int[] values = new int[1_000_000];
        values[0] = 9;
        for (int i = 1; i < values.length; i++) values[i] = 100;
        assertTrue(ascii.histogram(values).contains(" 1  #\n"));
        assertTrue(unicode.histogram(values).contains(" 1  \u258f\n"));
    }

    @Test
    void theGreatestNumberHasABin() {
        assertTrue(
                ascii.histogram(new int[] {Integer.MAX_VALUE})
                        .startsWith("1073741824 to 2147483647"));
    }

    @Test
    void whatMovesOrHidesIsWrittenOut() {
        assertEquals("a\\nb\\t\\\\\\u001b[2J", unicode.visible("a\nb\t\\\u001b[2J", 80));
        assertEquals("\\u202e\\u200b\\ud83d", unicode.visible("\u202e\u200b\ud83d", 80));
    }

    @Test
    void whatTheCharsetLacksIsWrittenOut() {
        assertEquals("caf\u00e9 \\u4f60", new TerminalText(ISO_8859_1).visible("café 你", 80));
        assertEquals("caf\\u00e9", ascii.visible("café", 80));
    }

    @Test
    void aLongTextIsCutWithDots() {
        assertEquals("abcdefg...", ascii.visible("abcdefghijklmnop", 10));
        assertEquals("abcdefghi…", unicode.visible("abcdefghijklmnop", 10));
        assertEquals("abcdefghij", unicode.visible("abcdefghij", 10));
        assertEquals("你好你…", unicode.visible("你好你好你好", 8));
    }

    @Test
    void noTextIsLongerThanAskedForOrOfMoreThanOneLine() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            char[] text = new char[random.nextInt(60)];
            for (int i = 0; i < text.length; i++) {
                text[i] = (char) random.nextInt(random.nextBoolean() ? 256 : 1 << 16);
            }
            String shown = ascii.visible(new String(text), 20);
            assertTrue(shown.length() <= 20, () -> "seed " + seed + ": " + shown);
            assertTrue(shown.chars().allMatch(c -> c >= 32 && c < 127), "seed " + seed);
        }
    }
}

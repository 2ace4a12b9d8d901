package org.tokenrate.tokenizer;

import java.util.Arrays;
import java.util.function.Function;

/**
 * Any decoder: decodes a window of the last tokens twice, without and with the new ones, and gives
 * the difference. The tokens before the new ones are there because a token's text may depend on its
 * neighbours. Slower by far than a {@link TokenTable}, and meant for what that cannot do.
 */
final class WindowDetokenizer implements StreamingDetokenizer {
    private final Function<int[], String> decode;
    private int[] window = new int[64];
    private int length;

    /** Tokens of the window whose text was given. */
    private int given;

    WindowDetokenizer(Function<int[], String> decode) {
        this.decode = decode;
    }

    @Override
    public void append(int[] tokens, int count, StringBuilder out) {
        for (int i = 0; i < count; i++) {
            if (length == window.length) window = Arrays.copyOf(window, 2 * length);
            window[length++] = tokens[i];
        }
        give(out, false);
    }

    @Override
    public void finish(StringBuilder out) {
        give(out, true);
        length = 0;
        given = 0;
    }

    private void give(StringBuilder out, boolean all) {
        String before = decode.apply(Arrays.copyOf(window, given));
        String after = decode.apply(Arrays.copyOf(window, length));
        boolean cutOff = after.endsWith("\ufffd");
        if (after.length() <= before.length() || cutOff && !all) return;
        out.append(after, before.length(), after.length());
        System.arraycopy(window, given, window, 0, length - given);
        length -= given;
        given = length;
    }
}

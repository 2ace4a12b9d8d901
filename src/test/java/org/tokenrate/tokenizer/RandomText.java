package org.tokenrate.tokenizer;

import java.util.Random;

/** Text of all of Unicode, half surrogate pairs left out, with spaces and plain words between. */
final class RandomText {
    private RandomText() {}

    static String of(Random random) {
        var text = new StringBuilder();
        for (int i = random.nextInt(40); i > 0; i--) {
            switch (random.nextInt(6)) {
                case 0 -> text.append(" ".repeat(1 + random.nextInt(3)));
                case 1 -> text.append("the quick ");
                case 2 -> text.append((char) random.nextInt(0x80));
                case 3 -> text.appendCodePoint(random.nextInt(0x3000));
                case 4 -> text.append("\ud83d\ude80é\u0301你\n");
                default -> {
                    int c = random.nextInt(Character.MAX_CODE_POINT + 1);
                    if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                        text.appendCodePoint(c);
                    }
                }
            }
        }
        return text.toString();
    }
}

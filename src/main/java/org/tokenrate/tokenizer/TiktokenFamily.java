package org.tokenrate.tokenizer;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What a rank file leaves to the code beside it.
 *
 * @param words cuts a text in words, between which no bytes are merged
 * @param specials special tokens in the order of their ids, which follow the ranks
 * @param bos the special token before a text, if {@code addBos}
 * @param eos the special token that may be asked for after a text
 * @param normalize what is done to a text first
 */
record TiktokenFamily(
        Pattern words,
        List<String> specials,
        String bos,
        boolean addBos,
        String eos,
        UnaryOperator<String> normalize) {
    private static final String WORDS =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}%s"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** Llama 3's 256 special tokens and pattern (llama3/tokenizer.py of Meta's repository). */
    static TiktokenFamily llama3() {
        var specials = new ArrayList<>(List.of("<|begin_of_text|>", "<|end_of_text|>"));
        for (int i = 0; i < 4; i++) specials.add(reserved(i));
        specials.addAll(
                List.of("<|start_header_id|>", "<|end_header_id|>", reserved(4), "<|eot_id|>"));
        for (int i = 5; i < 251; i++) specials.add(reserved(i));
        return new TiktokenFamily(
                pattern("{1,3}"),
                specials,
                "<|begin_of_text|>",
                true,
                "<|end_of_text|>",
                UnaryOperator.identity());
    }

    /** The first Qwen's (tokenization_qwen.py in its model folders). */
    static TiktokenFamily qwen() {
        var specials = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
        IntStream.range(0, 205).forEach(i -> specials.add("<|extra_" + i + "|>"));
        return new TiktokenFamily(
                pattern(""),
                specials,
                "<|endoftext|>",
                false,
                "<|endoftext|>",
                text -> Normalizer.normalize(text, Normalizer.Form.NFC));
    }

    private static String reserved(int number) {
        return "<|reserved_special_token_" + number + "|>";
    }

    /** Java's {@code \s} and its case-insensitive letters are ASCII's unless told otherwise. */
    private static Pattern pattern(String digits) {
        return Pattern.compile(String.format(WORDS, digits), Pattern.UNICODE_CHARACTER_CLASS);
    }
}

package org.tokenrate.dataset;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code -p dataset} means: {@code SOURCE}, {@code output:OUT[@SOURCE]} or {@code
 * random:IN/OUT[/RATIO][@SOURCE]}, where SOURCE is {@code builtin} or a file.
 *
 * @param lengths of the requests
 * @param source {@code builtin} or a file's name
 */
public record DatasetName(RequestLengths lengths, String source) {
    /** The dialogues that come with the benchmark. */
    public static final String BUILTIN = "builtin";

    private static final String OUTPUT = "output:";
    private static final String RANDOM = "random:";
    private static final Pattern FIXED = Pattern.compile("([0-9]{1,9})");
    private static final Pattern DRAWN =
            Pattern.compile("([0-9]{1,9})/([0-9]{1,9})(?:/([0-9]*\\.?[0-9]+))?");
    private static final int MOST_TOKENS = 1_000_000;

    /**
     * @throws IllegalArgumentException with what is wrong, to follow the text
     */
    public static DatasetName parse(String text) {
        boolean fixed = text.startsWith(OUTPUT);
        boolean drawn = text.startsWith(RANDOM);
        if (!fixed && !drawn) return new DatasetName(RequestLengths.OWN, text);
        String rest = text.substring((fixed ? OUTPUT : RANDOM).length());
        int at = rest.indexOf('@');
        String source = at < 0 ? BUILTIN : rest.substring(at + 1);
        String lengths = at < 0 ? rest : rest.substring(0, at);
        if (source.isEmpty()) {
            throw new IllegalArgumentException("must name builtin or a file after the @");
        }
        return new DatasetName(fixed ? fixed(lengths) : drawn(lengths), source);
    }

    private static RequestLengths fixed(String text) {
        Matcher m = FIXED.matcher(text);
        if (m.matches()) {
            int output = Integer.parseInt(m.group(1));
            if (output >= PromptSampler.MIN_TOKENS && output <= MOST_TOKENS) {
                return new RequestLengths.FixedOutput(output);
            }
        }
        throw new IllegalArgumentException(
                "must be output:TOKENS[@FILE], from %d to %d tokens"
                        .formatted(PromptSampler.MIN_TOKENS, MOST_TOKENS));
    }

    private static RequestLengths drawn(String text) {
        Matcher m = DRAWN.matcher(text);
        if (m.matches()) {
            int input = Integer.parseInt(m.group(1));
            int output = Integer.parseInt(m.group(2));
            double ratio = m.group(3) == null ? 0 : Double.parseDouble(m.group(3));
            if (Math.min(input, output) >= 1
                    && Math.max(input, output) <= MOST_TOKENS
                    && ratio <= 1) {
                return new RequestLengths.Drawn(input, output, ratio);
            }
        }
        throw new IllegalArgumentException(
                "must be random:IN/OUT[/RATIO][@FILE], lengths from 1 to %d tokens and a ratio in [0, 1]"
                        .formatted(MOST_TOKENS));
    }
}

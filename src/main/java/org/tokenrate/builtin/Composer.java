package org.tokenrate.builtin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes one dialogue from the phrase bank. An alternative does not come twice before all of its
 * rule's alternatives have come, so a dialogue does not repeat itself.
 */
final class Composer {
    private static final int LEAST_NUMBER = 12;
    private static final int LARGEST_NUMBER = 48;

    private final PhraseBank bank;
    private final SplitMix64 random;
    private final Map<String, String> values = new HashMap<>();
    private final Map<String, List<String>> decks = new HashMap<>();

    Composer(PhraseBank bank, SplitMix64 random) {
        this.bank = bank;
        this.random = random;
    }

    PhraseBank bank() {
        return bank;
    }

    SplitMix64 random() {
        return random;
    }

    /** Fixes what {@code {name}} stands for in the rest of the dialogue. */
    Composer let(String name, String value) {
        values.put(name, value);
        return this;
    }

    /** Fixes {@code {name}} to an expansion of the rule of that name. */
    Composer settle(String... names) {
        for (String name : names) {
            let(name, say(name));
        }
        return this;
    }

    String value(String name) {
        return values.get(name);
    }

    /** Whether the rule has alternatives that have not come yet. */
    boolean isFresh(String rule) {
        return !decks.containsKey(rule) || !decks.get(rule).isEmpty();
    }

    /** An alternative of the rule, expanded. */
    String say(String rule) {
        return expand(draw(rule));
    }

    /** An alternative of the rule as it stands in the bank. */
    String draw(String rule) {
        List<String> deck = decks.computeIfAbsent(rule, name -> new ArrayList<>());
        if (deck.isEmpty()) {
            List<String> alternatives = bank.rules().get(rule);
            if (alternatives == null) {
                throw new IllegalStateException("The phrase bank has no rule [" + rule + "].");
            }
            deck.addAll(alternatives);
        }
        int last = deck.size() - 1;
        int chosen = random.nextInt(deck.size());
        String alternative = deck.set(chosen, deck.get(last));
        deck.remove(last);
        return alternative;
    }

    <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    String expand(String text) {
        var out = new StringBuilder();
        int at = 0;
        for (int open = text.indexOf('{'); open >= 0; open = text.indexOf('{', at)) {
            int close = text.indexOf('}', open);
            out.append(text, at, open).append(resolve(text.substring(open + 1, close)));
            at = close + 1;
        }
        return out.append(text, at, text.length()).toString();
    }

    private String resolve(String name) {
        int equals = name.indexOf('=');
        if (equals >= 0) {
            let(name.substring(0, equals), say(name.substring(equals + 1)));
            return values.get(name.substring(0, equals));
        }
        if (Character.isUpperCase(name.charAt(0))) {
            return capitalised(resolve(Character.toLowerCase(name.charAt(0)) + name.substring(1)));
        }
        if (values.containsKey(name)) {
            return values.get(name);
        }
        return switch (name) {
            case "number" -> String.valueOf(random.between(LEAST_NUMBER, LARGEST_NUMBER));
            case "hour" -> String.valueOf(random.between(9, 17));
            default -> say(name);
        };
    }

    static String capitalised(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    /** The request, with what the person adds about the circumstances if there is room for it. */
    String prompt(String request, int promptChars) {
        var prompt = new StringBuilder(request);
        char end = request.charAt(request.length() - 1);
        String gap = Character.isLetterOrDigit(end) ? "\n" : " ";
        int longest = promptChars - 50;
        while (prompt.length() < longest && isFresh("context")) {
            prompt.append(gap).append(say("context"));
            gap = " ";
        }
        return prompt.toString();
    }
}

package org.tokenrate.builtin;

import java.util.ArrayList;
import java.util.List;

/** Translations from English into nine languages. */
final class TranslationForms {
    private static final List<String> LANGUAGES =
            List.of(
                    "French",
                    "Spanish",
                    "German",
                    "Italian",
                    "Portuguese",
                    "Japanese",
                    "Chinese",
                    "Korean",
                    "Russian");

    private TranslationForms() {}

    static Turn translate(Composer c, int promptChars, int answerChars) {
        int language = c.random().nextInt(LANGUAGES.size());
        int sentences = Math.max(1, Math.min(18, answerChars / 90));
        var phrases = new ArrayList<String[]>();
        for (int i = 0; i < sentences; i++) {
            phrases.add(c.draw("phrase").split("\\|"));
        }
        c.let("language", LANGUAGES.get(language)).let("sentence", phrases.get(0)[0]);
        var answer = new Draft(answerChars);
        if (sentences == 1) {
            answer.paragraph(phrases.get(0)[1 + language]);
            if (answer.hasRoomFor(40)) {
                answer.paragraph(c.say("translate-note"));
            }
            return new Turn(c.prompt(request(c, true), promptChars), answer.toString());
        }
        boolean table = c.random().chance(0.4);
        if (table) {
            answer.line("| English | " + LANGUAGES.get(language) + " |").line("| --- | --- |");
        }
        int number = 1;
        for (String[] phrase : phrases) {
            answer.line(
                    table
                            ? "| " + phrase[0] + " | " + phrase[1 + language] + " |"
                            : number++ + ". " + phrase[0] + " → " + phrase[1 + language]);
        }
        while (answer.hasRoomFor(50) && c.isFresh("translate-note")) {
            answer.paragraph(c.say("translate-note"));
        }
        String request = request(c, false);
        var list = new Draft(0).paragraph(c.prompt(request, promptChars)).paragraph("");
        if (!request.contains("Which phrases")) {
            phrases.forEach(phrase -> list.line(phrase[0]));
        }
        return new Turn(list.toString().strip(), answer.toString());
    }

    private static String request(Composer c, boolean single) {
        while (true) {
            String request = c.draw("translate-ask");
            if (request.contains("{sentence}") == single) {
                return c.expand(request);
            }
        }
    }
}

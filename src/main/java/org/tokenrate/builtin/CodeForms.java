package org.tokenrate.builtin;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Dialogues about programs: writing them, known algorithms, SQL, JSON, shell commands. */
final class CodeForms {
    private static final Pattern SHELL_FIELDS = Pattern.compile(" ~~ ");

    private CodeForms() {}

    static Turn program(Composer c, int promptChars, int answerChars) {
        Entity entity = introduced(c);
        String language = c.any(Programs.LANGUAGES);
        c.let("language", language);
        String prompt = c.prompt(c.say("code-ask"), promptChars);
        var answer = new Draft(answerChars);
        answer.paragraph(c.say("code-open"));
        write(c, answer, language, entity);
        for (int more = 0; more < 2 && answer.hasRoomFor(600); more++) {
            Entity other = introduced(c);
            answer.paragraph("The same pattern works for " + other.plural() + ":");
            write(c, answer, language, other);
        }
        return new Turn(prompt, closed(c, answer));
    }

    private static void write(Composer c, Draft answer, String language, Entity entity) {
        List<String> pieces = Programs.pieces(c, language, entity);
        for (int i = 0; i < pieces.size(); i++) {
            if (i > 0 && !answer.hasRoomFor(pieces.get(i).length() / 2)) {
                return;
            }
            answer.code(language.toLowerCase(Locale.ROOT), pieces.get(i));
            if (answer.hasRoomFor(100) && c.random().chance(0.7)) {
                answer.paragraph(c.say("code-explain"));
            }
        }
    }

    private static String closed(Composer c, Draft answer) {
        if (answer.hasRoomFor(100)) {
            answer.paragraph(c.say("code-explain")).sentence(c.say("code-close"));
        }
        return answer.toString();
    }

    static Entity introduced(Composer c) {
        Entity entity = Entity.draw(c);
        entity.introduce(c);
        return entity;
    }

    static Turn algorithm(Composer c, int promptChars, int answerChars) {
        PhraseBank.Snippet snippet = c.any(c.bank().snippets());
        String language = Composer.capitalised(snippet.language());
        String request =
                c.random().chance(0.5)
                        ? "Write " + snippet.title() + " in " + language + "."
                        : "How do I write " + snippet.title() + " in " + language + "?";
        var answer = new Draft(answerChars);
        if (answer.hasRoomFor(250)) {
            answer.paragraph("Sure! Here is " + snippet.title() + ":");
        }
        answer.code(snippet.language(), snippet.code());
        if (answer.hasRoom()) {
            answer.paragraph(snippet.explanation());
        }
        return new Turn(c.prompt(request, promptChars), answer.toString());
    }

    static Turn sql(Composer c, int promptChars, int answerChars) {
        Entity entity = introduced(c);
        String prompt = c.prompt(c.say("sql-ask"), promptChars);
        var answer = new Draft(answerChars);
        answer.paragraph(c.say("code-open"));
        int rows = c.random().between(2, Math.max(2, Math.min(20, answerChars / 250)));
        for (String statement : Programs.sql(c, entity, rows)) {
            answer.code("sql", statement);
            if (!answer.hasRoomFor(50)) {
                break;
            }
        }
        if (answer.hasRoomFor(100)) {
            answer.paragraph(
                    "An index on `"
                            + entity.group().name()
                            + "` pays off as soon as the table has some thousands of rows.");
        }
        return new Turn(prompt, answer.toString());
    }

    static Turn json(Composer c, int promptChars, int answerChars) {
        Entity entity = introduced(c);
        String prompt = c.prompt(c.say("json-ask"), promptChars);
        var rows = new Draft(answerChars);
        do {
            rows.line("  " + entity.json(c) + ",");
        } while (rows.hasRoomFor(60));
        String body = rows.toString();
        String array = "[\n" + body.substring(0, body.length() - 1) + "\n]";
        return new Turn(prompt, new Draft(0).code("json", array).toString());
    }

    static Turn shell(Composer c, int promptChars, int answerChars) {
        String[] task = SHELL_FIELDS.split(c.draw("shell-task"));
        c.let("shell-goal", task[0]);
        var answer = new Draft(answerChars).code("bash", task[1]);
        if (answer.hasRoom()) {
            answer.paragraph(task[2]);
        }
        return new Turn(c.prompt(c.say("shell-ask"), promptChars), answer.toString());
    }
}

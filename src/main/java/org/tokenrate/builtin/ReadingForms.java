package org.tokenrate.builtin;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;

/**
 * Dialogues whose prompt carries material to work on: a text, code, a log, data, letters, notes.
 */
final class ReadingForms {
    private ReadingForms() {}

    static Turn article(Composer c, int promptChars, int answerChars) {
        var material = new Draft(promptChars - 80);
        var told = new ArrayList<String>();
        do {
            TopicForms.choose(c);
            material.paragraph("# " + Composer.capitalised(TopicForms.topic(c)));
            material.paragraph(c.draw(TopicForms.topic(c) + ".gist"));
            for (String kind : List.of("fact", "why", "mistake", "fact")) {
                String rule = TopicForms.topic(c) + "." + kind;
                for (int i = 0; i < 5 && c.isFresh(rule) && material.hasRoom(); i++) {
                    String sentence = c.draw(rule);
                    told.add(sentence);
                    if (i == 0) {
                        material.paragraph(sentence);
                    } else {
                        material.sentence(sentence);
                    }
                }
            }
        } while (material.hasRoomFor(300));
        boolean first = c.random().chance(0.5);
        String request = c.say("reading-ask");
        String prompt = first ? request + "\n\n" + material : material + "\n\n" + request;

        var answer = new Draft(answerChars);
        if (answer.hasRoomFor(250)) {
            answer.paragraph(c.say("reading-open"));
        }
        answer.paragraph("");
        // Every second sentence first, then the rest: a short answer still spans the whole text.
        for (int start = 0; start < 2; start++) {
            for (int i = start; i < told.size() && (answer.hasRoom() || i == 0); i += 2) {
                answer.line("- " + told.get(i));
            }
        }
        if (answer.hasRoomFor(100)) {
            String rule = TopicForms.topic(c) + ".qa";
            answer.paragraph(
                    "The text leaves some questions open. Here are answers to three of them.");
            while (c.isFresh(rule) && answer.hasRoom()) {
                String[] qa = TopicForms.split(c.draw(rule));
                answer.paragraph("**" + qa[0] + "** " + qa[1]);
            }
        }
        return new Turn(prompt, answer.toString().strip());
    }

    static Turn codeReview(Composer c, int promptChars, int answerChars) {
        String language = c.any(Programs.LANGUAGES);
        Entity entity = CodeForms.introduced(c);
        var material = new Draft(promptChars - 60).paragraph(c.say("review-ask"));
        show(c, material, language, entity);

        var answer = new Draft(answerChars);
        answer.paragraph(c.say("review-open")).paragraph("");
        int number = 1;
        do {
            answer.line(number++ + ". " + c.say("review-point"));
        } while (answer.hasRoomFor(60) && c.isFresh("review-point"));
        if (answer.hasRoomFor(300)) {
            answer.paragraph("Tests for the most important cases could look like this:");
            List<String> pieces = Programs.pieces(c, language, entity);
            answer.code(language.toLowerCase(Locale.ROOT), pieces.get(pieces.size() - 1));
        }
        return new Turn(material.toString(), answer.toString());
    }

    static Turn codePort(Composer c, int promptChars, int answerChars) {
        String from = c.any(Programs.LANGUAGES);
        String to = c.any(Programs.LANGUAGES.stream().filter(l -> !l.equals(from)).toList());
        c.let("language", to);
        Entity entity = CodeForms.introduced(c);
        var material = new Draft(promptChars - 60).paragraph(c.say("port-ask"));
        int pieces = show(c, material, from, entity);

        var answer = new Draft(answerChars).paragraph(c.say("code-open"));
        for (String piece : Programs.pieces(c, to, entity).subList(0, pieces)) {
            answer.code(to.toLowerCase(Locale.ROOT), piece);
            if (answer.hasRoomFor(300)) {
                answer.paragraph(c.say("code-explain"));
            }
        }
        return new Turn(material.toString(), answer.toString());
    }

    /** Shows the entity's program until it fills the prompt, then others; returns its pieces. */
    private static int show(Composer c, Draft material, String language, Entity entity) {
        int shown = 0;
        for (String piece : Programs.pieces(c, language, entity)) {
            if (shown == 0 || material.hasRoomFor(piece.length() / 2)) {
                material.code(language.toLowerCase(Locale.ROOT), piece);
                shown++;
            }
        }
        int pieces = shown;
        while (material.hasRoomFor(400)) {
            for (String piece : Programs.pieces(c, language, Entity.draw(c))) {
                if (material.hasRoomFor(piece.length() / 2)) {
                    material.code(language.toLowerCase(Locale.ROOT), piece);
                }
            }
        }
        return pieces;
    }

    static Turn log(Composer c, int promptChars, int answerChars) {
        CodeForms.introduced(c);
        SplitMix64 random = c.random();
        var material = new Draft(promptChars);
        material.paragraph(c.say("log-ask")).paragraph("");
        var points = new LinkedHashSet<String>();
        LocalDateTime time =
                LocalDate.of(2024, random.between(1, 12), random.between(1, 28))
                        .atTime(random.between(0, 22), random.between(0, 59), 1);
        String service = c.say("log-service");
        do {
            time = time.plusSeconds(random.between(1, 60));
            if (random.chance(0.3)) {
                service = c.say("log-service");
            }
            String[] message = TopicForms.split(c.say("log-message"));
            material.line(
                    time.format(DateTimeFormatter.ISO_LOCAL_DATE_TIME)
                            + "Z "
                            + service
                            + " "
                            + message[0]);
            points.add(message[1]);
        } while (material.hasRoomFor(40));

        var answer = new Draft(answerChars);
        for (String point : points) {
            if (answer.hasRoom()) {
                answer.line("- " + point);
            }
        }
        return new Turn(material.toString(), answer.toString());
    }

    static Turn data(Composer c, int promptChars, int answerChars) {
        Entity entity = CodeForms.introduced(c);
        var material = new Draft(promptChars);
        material.paragraph(
                "Please turn this CSV data into "
                        + (c.random().chance(0.6) ? "a Markdown table." : "JSON.")
                        + " Keep the order of the rows.");
        boolean json = material.toString().contains("JSON");
        material.paragraph(entity.csvHeader());
        var rows = new ArrayList<String>();
        do {
            String row = entity.csvRow(c);
            rows.add(row);
            material.line(row);
        } while (material.hasRoomFor(40));

        var answer = new Draft(answerChars);
        if (json) {
            return new Turn(
                    material.toString(), new Draft(0).code("json", json(entity, rows)).toString());
        }
        answer.line("| " + entity.csvHeader().replace(",", " | ") + " |");
        answer.line("| " + "--- | ".repeat(entity.fields().size()).strip());
        rows.forEach(row -> answer.line("| " + row.replace(",", " | ") + " |"));
        return new Turn(material.toString(), answer.toString());
    }

    private static String json(Entity entity, List<String> rows) {
        var array = new StringBuilder("[");
        for (String row : rows) {
            String[] cells = row.split(",");
            array.append(array.length() == 1 ? "\n  {" : ",\n  {");
            for (int i = 0; i < cells.length; i++) {
                Entity.Field field = entity.fields().get(i);
                array.append(i == 0 ? "" : ", ")
                        .append('"')
                        .append(field.name())
                        .append("\": ")
                        .append(Entity.quoted(field, cells[i], '"'));
            }
            array.append('}');
        }
        return array.append("\n]").toString();
    }

    static Turn minutes(Composer c, int promptChars, int answerChars) {
        var material = new Draft(promptChars - 30);
        material.paragraph(c.say("minutes-ask")).paragraph("");
        var notes = new ArrayList<String>();
        do {
            String note = c.say("minutes-line");
            notes.add(note);
            material.line(note);
        } while (material.hasRoomFor(60));
        var answer = new Draft(answerChars);
        answer.paragraph("**Minutes**").paragraph("");
        for (int i = 0; i < notes.size() && answer.hasRoom(); i++) {
            answer.line(i + 1 + ". " + notes.get(i));
        }
        if (answer.hasRoomFor(80)) {
            answer.paragraph(
                    "The points without a name or a date should be settled at the next meeting.");
        }
        return new Turn(material.toString(), answer.toString());
    }

    static Turn letter(Composer c, int promptChars, int answerChars) {
        LetterForms.address(c);
        String recipient = c.value("recipient");
        String sender = c.value("sender");
        String prompt =
                c.say("letter-reply-ask")
                        + "\n\n"
                        + LetterForms.letter(c, LetterForms.purpose(c), promptChars);
        c.let("recipient", sender).let("sender", recipient);
        return new Turn(prompt, LetterForms.letter(c, c.say("letter-answer"), answerChars));
    }
}

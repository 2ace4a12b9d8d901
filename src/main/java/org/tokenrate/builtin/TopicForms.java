package org.tokenrate.builtin;

import java.util.List;

/** Dialogues about a topic: explanations, instructions, lists, glossaries, quick questions. */
final class TopicForms {
    /** Below this many characters an answer is one plain paragraph. */
    private static final int SHORT_ANSWER = 500;

    private static final int SENTENCES_PER_PARAGRAPH = 4;
    private static final int CHARS_PER_ITEM = 85;
    private static final int UNLIMITED = Integer.MAX_VALUE;

    private TopicForms() {}

    static void choose(Composer c) {
        String topic = c.any(c.bank().topics());
        c.let("topic", topic).let("goal", c.draw(topic + ".goal"));
    }

    static Turn explain(Composer c, int promptChars, int answerChars) {
        choose(c);
        String prompt = c.prompt(c.say("explain-ask"), promptChars);
        var answer = new Draft(answerChars);
        boolean brief = answerChars < SHORT_ANSWER;
        if (!brief && c.random().chance(0.6)) {
            answer.sentence(c.say("explain-open"));
        }
        answer.sentence(c.draw(topic(c) + ".gist"));
        if (brief) {
            while (answer.hasRoomFor(50) && c.isFresh(topic(c) + ".fact")) {
                answer.sentence(c.draw(topic(c) + ".fact"));
            }
            return new Turn(prompt, answer.toString());
        }
        boolean headings = c.random().chance(0.3);
        article(c, answer, headings);
        for (int more = 0; more < 2 && answer.hasRoomFor(400); more++) {
            String first = topic(c);
            while (topic(c).equals(first)) {
                choose(c);
            }
            answer.paragraph(
                    "A related subject, which is often discussed together with this one, is "
                            + topic(c)
                            + ". "
                            + c.draw(topic(c) + ".gist"));
            article(c, answer, headings);
        }
        if (c.random().chance(0.5)) {
            answer.paragraph(c.say("explain-close"));
        }
        return new Turn(prompt, answer.toString());
    }

    /** Sections on the topic until they fill the draft or the topic has been told. */
    private static void article(Composer c, Draft answer, boolean headings) {
        facts(c, answer, 5);
        for (String section : List.of("why", "more", "mistake", "term", "steps", "qa")) {
            if (!answer.hasRoomFor(150)) {
                return;
            }
            if (headings) {
                answer.paragraph("## " + heading(section, topic(c)));
            }
            switch (section) {
                case "why" -> paragraph(c, answer, c.say("why-open"), "why");
                case "more" -> facts(c, answer, 4);
                case "mistake" -> paragraph(c, answer, c.say("mistake-open"), "mistake");
                case "term" -> terms(c, answer);
                case "steps" -> {
                    answer.paragraph(c.say("steps-open"));
                    steps(c, answer);
                }
                default -> questions(c, answer);
            }
        }
    }

    private static String heading(String section, String topic) {
        return switch (section) {
            case "why" -> "Why it matters";
            case "more" -> "More about " + topic;
            case "mistake" -> "Common misunderstandings";
            case "term" -> "Terms";
            case "steps" -> "Try it yourself";
            default -> "Questions and answers";
        };
    }

    private static void facts(Composer c, Draft answer, int most) {
        String rule = topic(c) + ".fact";
        for (int told = 0; told < most && c.isFresh(rule) && answer.hasRoom(); told++) {
            String fact = c.draw(rule);
            if (told % SENTENCES_PER_PARAGRAPH == 0) {
                answer.paragraph(c.random().chance(0.4) ? c.say("fact-link") + " " + fact : fact);
            } else if (c.random().chance(0.25)) {
                answer.sentence(c.say("fact-link")).sentence(fact);
            } else {
                answer.sentence(fact);
            }
        }
    }

    private static void paragraph(Composer c, Draft answer, String opening, String kind) {
        answer.paragraph(opening);
        String rule = topic(c) + "." + kind;
        while (c.isFresh(rule) && answer.hasRoom()) {
            answer.sentence(c.draw(rule));
        }
    }

    private static void terms(Composer c, Draft answer) {
        answer.paragraph(c.say("term-open")).paragraph("");
        String rule = topic(c) + ".term";
        while (c.isFresh(rule) && answer.hasRoom()) {
            String[] term = split(c.draw(rule));
            answer.line("- **" + Composer.capitalised(term[0]) + "**: " + term[1] + ".");
        }
    }

    private static void steps(Composer c, Draft answer) {
        answer.paragraph("");
        int number = 1;
        for (String step : c.bank().rules().get(topic(c) + ".step")) {
            answer.line(number++ + ". " + step);
        }
    }

    private static void questions(Composer c, Draft answer) {
        answer.paragraph(c.say("qa-open"));
        String rule = topic(c) + ".qa";
        while (c.isFresh(rule) && answer.hasRoom()) {
            String[] qa = split(c.draw(rule));
            answer.paragraph("**" + qa[0] + "** " + qa[1]);
        }
    }

    static Turn howTo(Composer c, int promptChars, int answerChars) {
        choose(c);
        String prompt = c.prompt(c.say("howto-ask"), promptChars);
        var answer = new Draft(answerChars);
        List<String> steps = c.bank().rules().get(topic(c) + ".step");
        if (answerChars < SHORT_ANSWER) {
            steps(c, answer);
            return new Turn(prompt, answer.toString());
        }
        c.let("count-small", "six");
        answer.paragraph(c.say("howto-open")).paragraph("");
        int number = 1;
        for (String step : steps) {
            String comment = answer.hasRoomFor(300) ? " " + c.say("step-comment") : "";
            answer.line(number++ + ". " + step + comment);
        }
        if (answer.hasRoomFor(100)) {
            paragraph(c, answer, c.say("mistake-open"), "mistake");
        }
        if (answer.hasRoomFor(100)) {
            answer.paragraph("Some background: " + c.draw(topic(c) + ".gist"));
            article(c, answer, false);
        }
        return new Turn(prompt, answer.toString());
    }

    static Turn list(Composer c, int promptChars, int answerChars) {
        choose(c);
        int items = Math.max(4, Math.min(7, answerChars / CHARS_PER_ITEM));
        c.let("count-small", List.of("four", "five", "six", "seven").get(items - 4));
        String request = c.draw("list-ask");
        int most = request.contains("{count-small}") ? items : UNLIMITED;
        String prompt = c.prompt(c.expand(request), promptChars);
        var answer = new Draft(answerChars);
        if (request.contains("quiz") || request.contains("flash cards")) {
            quiz(c, answer, most);
        } else if (request.contains("glossary")) {
            terms(c, answer);
        } else if (request.contains("mistakes")) {
            bullets(c, answer, "mistake", UNLIMITED);
        } else {
            bullets(c, answer, "fact", most);
        }
        return new Turn(prompt, answer.toString());
    }

    private static void bullets(Composer c, Draft answer, String kind, int most) {
        String rule = topic(c) + "." + kind;
        String mark = c.random().chance(0.5) ? "- " : "• ";
        int told = 0;
        do {
            answer.line(mark + c.draw(rule));
        } while (++told < most && c.isFresh(rule) && (most < UNLIMITED || answer.hasRoom()));
    }

    /** Questions of the topic first, then its terms. */
    private static void quiz(Composer c, Draft answer, int most) {
        String questions = topic(c) + ".qa";
        String terms = topic(c) + ".term";
        int number = 1;
        while (number <= most && c.isFresh(questions)) {
            String[] qa = split(c.draw(questions));
            answer.line(number++ + ". " + qa[0] + "\n   Answer: " + qa[1]);
        }
        while (number <= most && c.isFresh(terms)) {
            String[] term = split(c.draw(terms));
            String meaning = Composer.capitalised(term[1]);
            answer.line(
                    number++
                            + ". What does \"%s\" mean here?\n   Answer: %s."
                                    .formatted(term[0], meaning));
        }
    }

    /** A question that has a short, definite answer. */
    static Turn question(Composer c, int promptChars, int answerChars) {
        choose(c);
        String[] qa = split(c.draw(topic(c) + ".qa"));
        var answer = new Draft(answerChars).sentence(qa[1]);
        while (answer.hasRoomFor(60) && c.isFresh(topic(c) + ".fact")) {
            answer.sentence(c.draw(topic(c) + ".fact"));
        }
        return new Turn(c.prompt(qa[0], promptChars), answer.toString());
    }

    static String topic(Composer c) {
        return c.value("topic");
    }

    /** The two parts of a line of the bank. */
    static String[] split(String line) {
        int bar = line.indexOf(" | ");
        return new String[] {line.substring(0, bar), line.substring(bar + 3)};
    }
}

package org.tokenrate.builtin;

import java.util.List;

/** Stories and poems. */
final class StoryForms {
    private StoryForms() {}

    static Turn story(Composer c, int promptChars, int answerChars) {
        boolean heroine = c.random().chance(0.5);
        c.let("hero", c.say(heroine ? "heroine" : "heroes"))
                .let("they", heroine ? "she" : "he")
                .let("their", heroine ? "her" : "his")
                .let("them", heroine ? "her" : "him")
                .let("friend", c.say("friend-name"))
                .settle("hero-role", "place", "weather", "weekday");
        settleTwice(c, "object");
        settleTwice(c, "animal");
        String prompt = c.prompt(c.say("story-ask"), promptChars);
        var answer = new Draft(answerChars);
        if (c.random().chance(0.4)) {
            answer.paragraph("**" + c.say("story-title") + "**");
        }
        answer.paragraph(c.say("story-opening"));
        if (answer.hasRoomFor(500)) {
            answer.paragraph(c.say("story-want"));
        }
        // Turns of the plot until there is room only for how it ends.
        while (answer.hasRoomFor(700) && c.isFresh("story-setback")) {
            answer.paragraph(c.say("story-setback"));
            if (answer.hasRoomFor(700) && c.isFresh("story-help")) {
                answer.paragraph(c.say("story-help"));
            }
        }
        if (answer.hasRoomFor(300)) {
            answer.paragraph(c.say("story-insight"));
        }
        if (answer.hasRoomFor(100)) {
            answer.paragraph(c.say("story-ending"));
        }
        return new Turn(prompt, answer.toString());
    }

    /** Settles what a thing is called when it first comes up, and from then on. */
    private static void settleTwice(Composer c, String rule) {
        String[] names = TopicForms.split(c.draw(rule));
        c.let(rule, names[0]).let("the-" + rule, names[1]);
    }

    static Turn poem(Composer c, int promptChars, int answerChars) {
        List<String> lines = c.bank().rules().get("poem-line");
        int couplets = lines.size() / 2;
        int first = c.random().nextInt(couplets);
        var answer = new Draft(answerChars);
        int told = 0;
        do {
            int couplet = (first + told) % couplets;
            if (told > 0 && told % 2 == 0) {
                answer.paragraph(lines.get(2 * couplet));
            } else {
                answer.line(lines.get(2 * couplet));
            }
            answer.line(lines.get(2 * couplet + 1));
        } while (++told < couplets && answer.hasRoom());
        return new Turn(c.prompt(c.say("poem-ask"), promptChars), answer.toString());
    }
}

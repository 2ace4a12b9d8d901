package org.tokenrate.builtin;

import java.util.List;

/** Plans for journeys and meals, and texts that praise a product. */
final class PlanForms {
    private static final List<String> WEEK =
            List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");

    private static final int CHARS_PER_DAY = 400;

    private PlanForms() {}

    static Turn trip(Composer c, int promptChars, int answerChars) {
        int days = Math.max(2, Math.min(7, answerChars / CHARS_PER_DAY));
        c.settle("city", "travellers", "interest").let("days", String.valueOf(days));
        String prompt = c.prompt(c.say("trip-ask"), promptChars);
        var answer = new Draft(answerChars);
        for (int day = 1; day == 1 || day <= days && answer.hasRoomFor(150); day++) {
            answer.paragraph("**Day " + day + "**").line("");
            for (String part : List.of("morning", "midday", "afternoon", "evening")) {
                answer.line("- " + Composer.capitalised(part) + ": " + c.say(part));
            }
        }
        if (answer.hasRoomFor(60)) {
            answer.paragraph("A few tips for " + c.value("city") + ":").line("");
            while (c.isFresh("trip-tip") && answer.hasRoom()) {
                answer.line("- " + c.say("trip-tip"));
            }
        }
        return new Turn(prompt, answer.toString());
    }

    static Turn meals(Composer c, int promptChars, int answerChars) {
        c.settle("travellers");
        String prompt = c.prompt(c.say("week-ask"), promptChars);
        var answer = new Draft(answerChars);
        boolean notes = answerChars > 900;
        for (String day : WEEK) {
            String note = notes && c.random().chance(0.7) ? " " + c.say("dish-note") : "";
            answer.line("- **" + day + "**: " + c.say("dish") + "." + note);
        }
        if (answer.hasRoomFor(60)) {
            answer.paragraph("Shopping list:").line("");
            while (c.isFresh("ingredient") && answer.hasRoom()) {
                answer.line(
                        "- [ ] " + 50 * c.random().between(2, 20) + " g " + c.say("ingredient"));
            }
        }
        return new Turn(prompt, answer.toString());
    }

    static Turn post(Composer c, int promptChars, int answerChars) {
        c.settle("review-subject");
        String prompt = c.prompt(c.say("post-ask"), promptChars);
        var answer = new Draft(answerChars);
        do {
            answer.line(c.say("post-line"));
        } while (answer.hasRoomFor(30) && c.isFresh("post-line"));
        return new Turn(prompt, answer.toString());
    }
}

package org.tokenrate.builtin;

/** Dialogues about emails that are to be written. */
final class LetterForms {
    private LetterForms() {}

    static Turn write(Composer c, int promptChars, int answerChars) {
        address(c);
        String[] purpose = TopicForms.split(c.say("purpose"));
        c.let("purpose-short", purpose[1]);
        String prompt = c.prompt(c.say("letter-ask"), promptChars);
        var answer = new Draft(answerChars);
        if (answer.hasRoomFor(300)) {
            answer.paragraph(c.say("letter-answer-open"));
        }
        answer.paragraph(letter(c, purpose[0], answerChars));
        if (answer.hasRoomFor(-40)) {
            answer.paragraph(c.say("letter-answer-close"));
        }
        return new Turn(prompt, answer.toString());
    }

    /** Settles who writes to whom about what. */
    static void address(Composer c) {
        c.settle("product", "company")
                .let("recipient", c.say("first-name") + " " + c.say("last-name"))
                .let("sender", c.say("first-name") + " " + c.say("last-name"));
    }

    /** A whole letter of about that many characters between the parties that were settled. */
    static String letter(Composer c, String purpose, int chars) {
        // Greeting, purpose, request and closing come in any case.
        var letter = new Draft(chars - 200);
        letter.paragraph("Subject: " + c.say("subject"))
                .paragraph(c.say("greeting"))
                .paragraph(c.say("letter-open"))
                .sentence(purpose);
        for (int i = 0; letter.hasRoom() && c.isFresh("letter-detail"); i++) {
            String detail = c.say("letter-detail");
            if (i % 3 == 0) {
                letter.paragraph(detail);
            } else {
                letter.sentence(detail);
            }
            if (i % 6 == 5 && letter.hasRoom() && c.isFresh("purpose")) {
                letter.paragraph("There is something else. " + purpose(c));
            }
        }
        return letter.paragraph(c.say("letter-request"))
                .paragraph(c.say("letter-close"))
                .toString();
    }

    /** Any purpose, in the words of the letter. */
    static String purpose(Composer c) {
        return TopicForms.split(c.say("purpose"))[0];
    }
}

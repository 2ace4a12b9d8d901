package org.tokenrate.builtin;

import java.util.List;

/** Small talk: short messages with short replies. */
final class ChatForms {
    private static final List<String> WEEK =
            List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");

    private ChatForms() {}

    static Turn smallTalk(Composer c) {
        int number = c.random().between(10, 999);
        c.let("number", String.valueOf(number)).settle("weekday", "country-capital", "count-small");
        String request = c.say("short-ask");
        return new Turn(request, answer(c, request, number));
    }

    private static String answer(Composer c, String request, int number) {
        if (request.contains("its")) {
            return "\"Its\": the dog wagged its tail. \"It's\" is short for \"it is\" or \"it has\".";
        } else if (request.contains("capital")) {
            return "The capital of "
                    + c.value("country-capital")
                    + " is "
                    + capital(c.value("country-capital"))
                    + ".";
        } else if (request.contains("even number")) {
            return number % 2 == 0 ? "Yes, it is even." : "No, " + number + " is an odd number.";
        } else if (request.contains("Which day")) {
            return WEEK.get((WEEK.indexOf(c.value("weekday")) + 1) % WEEK.size()) + ".";
        } else if (request.contains("seconds")) {
            int hours =
                    List.of("four", "five", "six", "seven", "eight").indexOf(c.value("count-small"))
                            + 4;
            return "There are 3,600 seconds in an hour, so "
                    + hours
                    + " × 3,600 = "
                    + hours * 3600
                    + " seconds.";
        } else if (request.contains("joke")) {
            return c.say("joke");
        } else if (request.contains("fun fact")) {
            return c.say("fun-fact");
        } else if (request.contains("headache")) {
            return c.say("headache-tip");
        } else if (request.contains("good name")) {
            return c.say("pet-name");
        } else if (request.contains("wrong")) {
            return c.say("short-answer-sorry");
        } else if (request.contains("bullet points")) {
            return c.say("short-answer-style");
        } else if (request.matches("(?i).*(thank|never mind).*")) {
            return c.say("short-answer-thanks");
        }
        return c.say("short-answer-ready");
    }

    private static String capital(String country) {
        return switch (country) {
            case "Portugal" -> "Lisbon";
            case "Japan" -> "Tokyo (東京)";
            case "Canada" -> "Ottawa";
            case "Kenya" -> "Nairobi";
            case "Norway" -> "Oslo";
            case "Chile" -> "Santiago";
            default ->
                    throw new IllegalArgumentException("No capital is known for " + country + ".");
        };
    }
}

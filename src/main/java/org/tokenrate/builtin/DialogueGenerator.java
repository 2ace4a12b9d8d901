package org.tokenrate.builtin;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Composes the built-in dialogues and writes them in ShareGPT's shape. Lengths are drawn first,
 * from mixtures that resemble ShareGPT's: many short requests and some of a thousand tokens,
 * answers spread over two orders of magnitude. A form of dialogue then fills them.
 */
final class DialogueGenerator {
    static final int DIALOGUES = 6_000;

    private static final long SEED = 1_950; // the year of Turing's imitation game

    /** A turn of the conversation. The names are those of ShareGPT's file. */
    record Message(String from, String value) {}

    record Dialogue(String id, List<Message> conversations) {}

    /**
     * @param weight how often the form is taken, among those that can fill the answer
     * @param longestAnswer characters up to which the form has something to say
     */
    private record Choice(int weight, int longestAnswer, Form form) {}

    private static final int UNLIMITED = Integer.MAX_VALUE;

    private static final List<Choice> FORMS =
            List.of(
                    new Choice(16, 6_000, TopicForms::explain),
                    new Choice(9, 2_500, TopicForms::howTo),
                    new Choice(7, 1_100, TopicForms::list),
                    new Choice(7, 600, TopicForms::question),
                    new Choice(11, UNLIMITED, CodeForms::program),
                    new Choice(5, 1_200, CodeForms::algorithm),
                    new Choice(4, 2_200, CodeForms::sql),
                    new Choice(3, UNLIMITED, CodeForms::json),
                    new Choice(14, 350, CodeForms::shell),
                    new Choice(8, 3_000, LetterForms::write),
                    new Choice(9, UNLIMITED, StoryForms::story),
                    new Choice(2, 350, StoryForms::poem),
                    new Choice(10, 1_600, TranslationForms::translate),
                    new Choice(8, 4_000, NumberForms::exercises),
                    new Choice(4, 2_500, NumberForms::table),
                    new Choice(4, 3_000, PlanForms::trip),
                    new Choice(3, 1_500, PlanForms::meals),
                    new Choice(4, 700, PlanForms::post));

    private static final List<Choice> READING_FORMS =
            List.of(
                    new Choice(30, UNLIMITED, ReadingForms::article),
                    new Choice(12, 2_200, ReadingForms::codeReview),
                    new Choice(12, UNLIMITED, ReadingForms::codePort),
                    new Choice(10, 700, ReadingForms::log),
                    new Choice(12, UNLIMITED, ReadingForms::data),
                    new Choice(12, 2_500, ReadingForms::minutes),
                    new Choice(12, 3_000, ReadingForms::letter));

    /** Prompts longer than this carry material to work on. */
    private static final int READING_PROMPT = 420;

    private static final double SINGLE_TURN_SHARE = 0.012;
    private static final double TOO_SHORT_SHARE = 0.012;
    private static final double SMALL_TALK_SHARE = 0.03;
    private static final double FOLLOW_UP_SHARE = 0.35;

    private final PhraseBank bank;
    private final SplitMix64 random = new SplitMix64(SEED);

    DialogueGenerator(PhraseBank bank) {
        this.bank = bank;
    }

    /** Writes all dialogues as a JSON array, one dialogue a line. */
    static void write(Path file) throws IOException {
        ObjectMapper json =
                JsonMapper.builder()
                        .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                        .build();
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            String gap = "[\n";
            var generator = new DialogueGenerator(PhraseBank.load());
            for (int i = 0; i < DIALOGUES; i++) {
                out.write(gap.getBytes(StandardCharsets.UTF_8));
                out.write(json.writeValueAsBytes(generator.next()));
                gap = ",\n";
            }
            out.write("\n]\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    List<Dialogue> all() {
        var dialogues = new ArrayList<Dialogue>();
        for (int i = 0; i < DIALOGUES; i++) {
            dialogues.add(next());
        }
        return dialogues;
    }

    Dialogue next() {
        String id = nextId();
        var composer = new Composer(bank, random);
        var messages = new ArrayList<Message>();
        Turn turn = random.chance(TOO_SHORT_SHARE) ? tooShort(composer) : turn(composer);
        messages.add(new Message("human", turn.prompt()));
        if (!random.chance(SINGLE_TURN_SHARE)) {
            messages.add(new Message("gpt", turn.answer()));
            while (random.chance(FOLLOW_UP_SHARE)) {
                String[] followUp = TopicForms.split(composer.say("followup"));
                messages.add(new Message("human", followUp[0]));
                messages.add(new Message("gpt", followUp[1]));
            }
        }
        return new Dialogue(id, messages);
    }

    private Turn turn(Composer composer) {
        int promptChars = promptChars();
        int answerChars = answerChars();
        if (random.chance(SMALL_TALK_SHARE)) {
            return ChatForms.smallTalk(composer);
        }
        List<Choice> forms = promptChars > READING_PROMPT ? READING_FORMS : FORMS;
        return choose(forms, answerChars).compose(composer, promptChars, answerChars);
    }

    private Form choose(List<Choice> choices, int answerChars) {
        int total = 0;
        for (Choice choice : choices) {
            total += answerChars <= choice.longestAnswer ? choice.weight : 0;
        }
        int drawn = random.nextInt(total);
        for (Choice choice : choices) {
            drawn -= answerChars <= choice.longestAnswer ? choice.weight : 0;
            if (drawn < 0) {
                return choice.form;
            }
        }
        throw new AssertionError("the weights add up to " + total);
    }

    private int promptChars() {
        double drawn = random.nextDouble();
        if (drawn < 0.54) {
            return logNormal(70, 0.5);
        }
        if (drawn < 0.695) {
            return logNormal(240, 0.5);
        }
        return logNormal(1_950, 0.62);
    }

    private int answerChars() {
        return Math.min(logNormal(875, 0.93), 9_000);
    }

    private int logNormal(double median, double sigma) {
        return (int) (median * StrictMath.exp(sigma * random.nextGaussian()));
    }

    private static Turn tooShort(Composer composer) {
        List<Turn> turns =
                List.of(
                        new Turn("hi", "Hello! What can I do for you today?"),
                        new Turn("ok", "Is there anything else that you would like to know?"),
                        new Turn("👍", "Glad that it helped!"),
                        new Turn("Is seventeen a prime number? Answer with one word.", "Yes"),
                        new Turn("Are you ready for the first question?", "Yes!"),
                        new Turn("What is 7 times 8? Only the number, please.", "56"));
        return composer.any(turns);
    }

    /** Like ShareGPT's: seven letters or digits, and the number of the part. */
    private String nextId() {
        String symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        var id = new StringBuilder();
        for (int i = 0; i < 7; i++) {
            id.append(symbols.charAt(random.nextInt(symbols.length())));
        }
        return id + "_0";
    }
}

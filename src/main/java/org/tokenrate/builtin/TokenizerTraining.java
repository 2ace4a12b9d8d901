package org.tokenrate.builtin;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import org.tokenrate.builtin.DialogueGenerator.Dialogue;
import org.tokenrate.builtin.DialogueGenerator.Message;

/**
 * Trains the built-in tokenizer on the built-in dialogues and gives it as a Hugging Face {@code
 * tokenizer.json}. Token ids: the 256 bytes, then the merges, then the two special tokens.
 */
final class TokenizerTraining {
    static final int VOCABULARY = 4_096;
    static final String BEGIN = "<|begin_of_text|>";
    static final String END = "<|end_of_text|>";
    static final int BEGIN_ID = VOCABULARY - 2;
    static final int END_ID = VOCABULARY - 1;

    private TokenizerTraining() {}

    static byte[] tokenizerJson(List<Dialogue> dialogues) throws IOException {
        // Sorted, so that the trainer sees the words in the same order everywhere.
        var counts = new TreeMap<String, Integer>();
        for (Dialogue dialogue : dialogues) {
            for (Message message : dialogue.conversations()) {
                Matcher words = ByteLevel.WORD_PATTERN.matcher(message.value());
                while (words.find()) {
                    counts.merge(words.group(), 1, Integer::sum);
                }
            }
        }
        char[] symbols = ByteLevel.symbols();
        var tokens = new ArrayList<String>();
        int[] idOfByte = byteTokens(symbols, tokens);
        var words = new ArrayList<int[]>();
        var times = new long[counts.size()];
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            byte[] bytes = entry.getKey().getBytes(StandardCharsets.UTF_8);
            var word = new int[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                word[i] = idOfByte[bytes[i] & 0xFF];
            }
            times[words.size()] = entry.getValue();
            words.add(word);
        }
        List<BpeTrainer.Pair> merges =
                new BpeTrainer(words, times)
                        .learn(ByteLevel.BYTES, VOCABULARY - ByteLevel.BYTES - 2);
        return json(tokens, merges);
    }

    /** Gives the byte tokens ids in the order of their symbols, as GPT-2's vocabulary has them. */
    private static int[] byteTokens(char[] symbols, List<String> tokens) {
        var idOfSymbol = new HashMap<Character, Integer>();
        for (char symbol : new String(symbols).chars().sorted().mapToObj(c -> (char) c).toList()) {
            idOfSymbol.put(symbol, tokens.size());
            tokens.add(String.valueOf(symbol));
        }
        var ids = new int[symbols.length];
        for (int b = 0; b < symbols.length; b++) {
            ids[b] = idOfSymbol.get(symbols[b]);
        }
        return ids;
    }

    private static byte[] json(List<String> byteTokens, List<BpeTrainer.Pair> merges)
            throws IOException {
        var tokens = new ArrayList<String>(byteTokens);
        var mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        addedToken(addedToken(root.putArray("added_tokens"), BEGIN_ID, BEGIN), END_ID, END);
        root.putNull("normalizer");
        ObjectNode preTokenizer = root.putObject("pre_tokenizer").put("type", "Sequence");
        ArrayNode steps = preTokenizer.putArray("pretokenizers");
        steps.addObject()
                .put("type", "Split")
                .put("behavior", "Isolated")
                .put("invert", false)
                .putObject("pattern")
                .put("Regex", ByteLevel.WORDS);
        byteLevel(steps.addObject());
        root.set("post_processor", beginOfText(mapper));
        byteLevel(root.putObject("decoder"));

        ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout");
        model.putNull("unk_token").putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix").put("fuse_unk", false).put("byte_fallback", false);
        ObjectNode vocabulary = model.putObject("vocab");
        ArrayNode rules = model.putArray("merges");
        for (BpeTrainer.Pair merge : merges) {
            String left = tokens.get(merge.left());
            String right = tokens.get(merge.right());
            tokens.add(left + right);
            rules.add(left + " " + right);
        }
        tokens.add(BEGIN);
        tokens.add(END);
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        if (vocabulary.size() != VOCABULARY) {
            throw new IllegalStateException(
                    "The vocabulary has %d distinct tokens instead of %d: two merges spell the same."
                            .formatted(vocabulary.size(), VOCABULARY));
        }
        return mapper.writeValueAsBytes(root);
    }

    private static ArrayNode addedToken(ArrayNode tokens, int id, String content) {
        tokens.addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        return tokens;
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }

    /** Puts the begin-of-text token before each text. */
    private static ObjectNode beginOfText(ObjectMapper mapper) {
        ObjectNode template = mapper.createObjectNode().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        text(single, "A", 0);
        ArrayNode pair = template.putArray("pair");
        text(pair, "A", 0);
        text(pair, "B", 1);
        ObjectNode begin = template.putObject("special_tokens").putObject(BEGIN);
        begin.put("id", BEGIN).putArray("ids").add(BEGIN_ID);
        begin.putArray("tokens").add(BEGIN);
        return template;
    }

    private static void text(ArrayNode pieces, String id, int type) {
        pieces.addObject().putObject("SpecialToken").put("id", BEGIN).put("type_id", type);
        pieces.addObject().putObject("Sequence").put("id", id).put("type_id", type);
    }
}

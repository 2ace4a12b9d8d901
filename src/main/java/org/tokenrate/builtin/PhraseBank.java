package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The phrases that dialogues are made of, from the text resources. A rule is a name with its
 * alternatives; {@code phrases.txt} describes the notation. The lines of a topic are rules too,
 * named {@code <topic>.<kind>}.
 */
record PhraseBank(Map<String, List<String>> rules, List<String> topics, List<Snippet> snippets) {
    /** A well-known algorithm as code. */
    record Snippet(String title, String language, String explanation, String code) {}

    private static final List<String> RULE_FILES =
            List.of("phrases", "letters", "stories", "code", "translations", "plans");
    private static final List<String> TOPIC_FILES =
            List.of("topics-nature", "topics-history", "topics-computing", "topics-life");

    static PhraseBank load() throws IOException {
        var rules = new LinkedHashMap<String, List<String>>();
        for (String file : RULE_FILES) {
            readRules(lines(file), rules);
        }
        var topics = new ArrayList<String>();
        for (String file : TOPIC_FILES) {
            readTopics(lines(file), rules, topics);
        }
        return new PhraseBank(rules, topics, readSnippets(lines("snippets")));
    }

    private static List<String> lines(String file) throws IOException {
        byte[] bytes = Resources.bytes("text/" + file + ".txt");
        return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    }

    private static void readRules(List<String> lines, Map<String, List<String>> rules) {
        var alternatives = new ArrayList<String>();
        for (String line : lines) {
            if (line.startsWith("[") && line.endsWith("]")) {
                alternatives = new ArrayList<>();
                String name = line.substring(1, line.length() - 1);
                if (rules.put(name, alternatives) != null) {
                    throw new IllegalStateException("Two phrase rules are named " + name + ".");
                }
            } else if (!line.isEmpty() && !line.startsWith("# ")) {
                alternatives.add(line.replace("\\n", "\n"));
            }
        }
    }

    private static void readTopics(
            List<String> lines, Map<String, List<String>> rules, List<String> topics) {
        for (String line : lines) {
            if (line.startsWith("== ")) {
                topics.add(line.substring(3));
            } else if (!line.isEmpty() && !line.startsWith("# ")) {
                int colon = line.indexOf(": ");
                String rule = topics.get(topics.size() - 1) + "." + line.substring(0, colon);
                rules.computeIfAbsent(rule, name -> new ArrayList<>())
                        .add(line.substring(colon + 2));
            }
        }
    }

    private static List<Snippet> readSnippets(List<String> lines) {
        var snippets = new ArrayList<Snippet>();
        for (int i = 0; i < lines.size(); ) {
            String header = lines.get(i++);
            if (!header.startsWith("== ")) {
                continue;
            }
            String[] parts = header.substring(3).split("\\|");
            var code = new StringBuilder();
            while (i < lines.size() && !lines.get(i).startsWith("== ")) {
                code.append(lines.get(i++)).append('\n');
            }
            snippets.add(new Snippet(parts[0], parts[1], parts[2], code.toString()));
        }
        return snippets;
    }
}

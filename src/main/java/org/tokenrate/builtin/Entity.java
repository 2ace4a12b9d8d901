package org.tokenrate.builtin;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A thing that programs keep records of.
 *
 * @param name in the singular, lower case
 */
record Entity(String name, String plural, List<Field> fields) {
    enum Type {
        TEXT,
        INT,
        DECIMAL,
        DATE,
        BOOL
    }

    record Field(String name, Type type) {
        /** The name in camel case, as Java, TypeScript and Go have it. */
        String camel() {
            var camel = new StringBuilder();
            for (String word : name.split("_")) {
                camel.append(camel.isEmpty() ? word : Composer.capitalised(word));
            }
            return camel.toString();
        }
    }

    static Entity draw(Composer c) {
        String[] parts = c.draw("entity").split("\\|");
        var fields = new ArrayList<Field>();
        for (String field : parts[2].split(",")) {
            String[] nameAndType = field.split(":");
            Type type = Type.valueOf(nameAndType[1].toUpperCase(Locale.ROOT));
            fields.add(new Field(nameAndType[0], type));
        }
        return new Entity(parts[0], parts[1], fields);
    }

    /** Makes the entity known to the phrases. */
    void introduce(Composer c) {
        c.let("entity-plural", plural)
                .let("entity-a", withArticle())
                .let("first-field", key().name())
                .let("text-field", group().name().replace('_', ' '))
                .let("number-field", number().name().replace('_', ' '))
                .let("function", "load_" + plural)
                .let("fields", fields.stream().map(Field::name).collect(Collectors.joining(", ")));
    }

    private String withArticle() {
        return ("aeiou".indexOf(name.charAt(0)) >= 0 ? "an " : "a ") + name;
    }

    String className() {
        return Composer.capitalised(name);
    }

    /** The field that tells one from another. */
    Field key() {
        return fields.get(0);
    }

    /** A field to group by. */
    Field group() {
        return fields.stream()
                .filter(f -> f.type() == Type.TEXT && f != key())
                .findFirst()
                .orElse(key());
    }

    /** A field to add up. */
    Field number() {
        return fields.stream()
                .filter(f -> f.type() == Type.DECIMAL || f.type() == Type.INT)
                .findFirst()
                .orElseThrow();
    }

    Field date() {
        return fields.stream().filter(f -> f.type() == Type.DATE).findFirst().orElse(key());
    }

    /** A value of the field as it stands in a CSV file. */
    static String sample(Composer c, Field field) {
        SplitMix64 random = c.random();
        return switch (field.type()) {
            case INT -> String.valueOf(random.between(1, 400));
            case DECIMAL -> random.between(1, 180) + "." + random.between(10, 99);
            case DATE ->
                    LocalDate.of(
                                    random.between(2023, 2025),
                                    random.between(1, 12),
                                    random.between(1, 28))
                            .toString();
            case BOOL -> String.valueOf(random.chance(0.5));
            case TEXT -> c.say(textRule(field.name()));
        };
    }

    private static String textRule(String field) {
        return switch (field) {
            case "city", "origin", "destination", "location" -> "value-city";
            case "number", "isbn", "code", "sku", "tracking", "plate", "reference" -> "value-code";
            case "title",
                    "email",
                    "department",
                    "subject",
                    "label",
                    "model",
                    "campaign",
                    "species" ->
                    "value-" + field;
            default -> "value-person";
        };
    }

    String csvHeader() {
        return fields.stream().map(Field::name).collect(Collectors.joining(","));
    }

    String csvRow(Composer c) {
        return fields.stream().map(f -> sample(c, f)).collect(Collectors.joining(","));
    }

    String json(Composer c) {
        return fields.stream()
                .map(f -> "\"" + f.name() + "\": " + quoted(f, sample(c, f), '"'))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    /** The value as a literal: texts and dates in quotation marks. */
    static String quoted(Field field, String value, char mark) {
        boolean text = field.type() == Type.TEXT || field.type() == Type.DATE;
        return text ? mark + value.replace("'", "’") + mark : value;
    }
}

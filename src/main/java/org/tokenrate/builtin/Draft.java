package org.tokenrate.builtin;

/** A text that grows by paragraphs and lines to about a wanted length. */
final class Draft {
    private final StringBuilder text = new StringBuilder();
    private final int wanted;

    /**
     * @param wanted characters
     */
    Draft(int wanted) {
        this.wanted = wanted;
    }

    boolean hasRoom() {
        return hasRoomFor(0);
    }

    /** Whether that many more characters would not go past the wanted length. */
    boolean hasRoomFor(int chars) {
        return text.length() + chars < wanted;
    }

    Draft paragraph(String paragraph) {
        return append(paragraph, "\n\n");
    }

    Draft line(String line) {
        return append(line, "\n");
    }

    Draft sentence(String sentence) {
        return append(sentence, " ");
    }

    /** A fenced block of code; its last line may or may not end in a line break. */
    Draft code(String language, String code) {
        return paragraph("```" + language + "\n" + code.stripTrailing() + "\n```");
    }

    private Draft append(String what, String gap) {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != '\n') {
            text.append(gap);
        }
        text.append(what);
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}

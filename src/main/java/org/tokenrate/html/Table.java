package org.tokenrate.html;

import java.util.ArrayList;
import java.util.List;

/**
 * A table. Numbers are set to the right, and every column sorts.
 *
 * @param caption for those who do not see it; may be empty
 * @param columns headings
 * @param rows as many cells a row as there are columns
 */
public record Table(String caption, List<Column> columns, List<Row> rows) {

    /**
     * @param isText to the left, in contrast to numbers
     */
    public record Column(String name, boolean isText) {}

    /**
     * @param look how the row looks
     */
    public record Row(Look look, List<Cell> cells) {}

    /**
     * @param text as shown; may be empty
     * @param sortKey what sorting goes by; NaN for the text itself
     */
    public record Cell(String text, double sortKey) {
        public static Cell of(String text) {
            return new Cell(text, Double.NaN);
        }
    }

    /** What a row stands out by. */
    public enum Look {
        PLAIN(""),
        BEST("best"),
        WORSE("worse"),
        BETTER("better");

        private final String css;

        Look(String css) {
            this.css = css;
        }
    }

    /** Two columns, of names and what is known of them; a line of a value is a line shown. */
    public static Table ofFacts(String caption, List<List<String>> facts) {
        var rows = new ArrayList<Row>();
        for (List<String> f : facts) {
            rows.add(new Row(Look.PLAIN, List.of(Cell.of(f.get(0)), Cell.of(f.get(1)))));
        }
        return new Table(
                caption, List.of(new Column("what", true), new Column("value", true)), rows);
    }

    /** In a box of its own that scrolls where it is too wide. */
    String html(boolean isSortable) {
        var html = new StringBuilder("<div class=\"wide\" tabindex=\"0\" role=\"region\"");
        html.append(" aria-label=\"").append(Html.escaped(caption)).append("\"><table class=\"");
        html.append(isSortable ? "sortable" : "facts").append("\">\n<thead><tr>");
        for (Column c : columns) {
            html.append(c.isText() ? "<th scope=\"col\" class=\"text\">" : "<th scope=\"col\">");
            html.append(Html.escaped(c.name())).append("</th>");
        }
        html.append("</tr></thead><tbody>\n");
        for (Row row : rows) {
            html.append(
                    row.look() == Look.PLAIN ? "<tr>" : "<tr class=\"" + row.look().css + "\">");
            for (int i = 0; i < columns.size(); i++) cell(html, columns.get(i), row.cells().get(i));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }

    private static void cell(StringBuilder html, Column column, Cell cell) {
        html.append(column.isText() ? "<td class=\"text\"" : "<td");
        if (!Double.isNaN(cell.sortKey())) {
            html.append(" data-v=\"").append(cell.sortKey()).append('"');
        }
        html.append('>').append(Html.escaped(cell.text())).append("</td>");
    }
}

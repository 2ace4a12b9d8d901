package org.tokenrate.compare;

import java.util.Locale;

/** The comparison as one HTML file that needs nothing else: no script, no network. */
public final class ComparisonPage {
    private static final String HEAD =
            """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>%s</title>
            <style>
            :root { color-scheme: light dark; --line: #8884; --worse: #d55e00; --better: #0072b2; }
            @media (prefers-color-scheme: dark) { :root { --worse: #ff9d4d; --better: #6bb8f0; } }
            body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 70rem; }
            .wide { overflow-x: auto; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
            th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
            th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
            h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
            .slower { color: var(--worse); font-weight: 600; }
            .faster { color: var(--better); font-weight: 600; }
            .warning { border-left: 4px solid var(--worse); padding-left: .6rem; }
            .small { opacity: .75; font-size: .9em; }
            </style></head><body>
            """;

    private ComparisonPage() {}

    public static String of(Comparison c) {
        String title = escaped(c.base() + " \u2192 " + c.candidate());
        var html = new StringBuilder(HEAD.formatted(title));
        html.append("<h1>").append(title).append("</h1>\n");
        html.append("<p>").append(Legend.summary(c)).append("</p>\n");
        for (String w : Legend.warnings(c)) {
            html.append("<p class=\"warning\">").append(escaped(w)).append("</p>\n");
        }
        for (Comparison.Row row : c.rows()) table(html, row);
        html.append("<p class=\"small\">");
        for (String m : Legend.method()) html.append(escaped(m)).append("<br>\n");
        return html.append("</p></body></html>\n").toString();
    }

    private static void table(StringBuilder html, Comparison.Row row) {
        html.append("<h2>").append(escaped(row.label())).append("</h2>\n<p class=\"small\">");
        html.append(Legend.row(row)).append("</p>\n<div class=\"wide\"><table>\n<tr>");
        for (String h :
                new String[] {
                    "figure", "base", "candidate", "change", "95 % interval", "p", "verdict"
                }) {
            html.append("<th>").append(h).append("</th>");
        }
        html.append("</tr>\n");
        for (Outcome o : row.outcomes()) {
            html.append("<tr class=\"")
                    .append(o.verdict().name().toLowerCase(Locale.ROOT))
                    .append("\">");
            cell(html, o.figure().label());
            cell(html, Format.value(o.figure(), o.base()));
            cell(html, Format.value(o.figure(), o.candidate()));
            cell(html, Format.change(o.change()));
            cell(html, Format.interval(o.interval()));
            cell(html, Format.p(o.adjustedP()));
            cell(html, o.words());
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private static void cell(StringBuilder html, String text) {
        html.append("<td>").append(escaped(text)).append("</td>");
    }

    /** Names are from files that anyone may have written. */
    private static String escaped(String text) {
        return Format.plain(text)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}

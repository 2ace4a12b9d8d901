package org.tokenrate.html;

import java.util.regex.Pattern;

/** Text on its way into a page. */
final class Html {
    /** Control characters, and those that turn the direction of the text around them. */
    private static final Pattern INVISIBLE =
            Pattern.compile("[\\p{Cntrl}&&[^\\n]]|[\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]");

    private Html() {}

    /** Fit for an element's content and for a quoted attribute's value. */
    static String escaped(String text) {
        return INVISIBLE
                .matcher(text)
                .replaceAll(" ")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}

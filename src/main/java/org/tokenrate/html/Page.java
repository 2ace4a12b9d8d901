package org.tokenrate.html;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A page, made from top to bottom. Its policy lets run the scripts that it was written with, told
 * by their digests, and nothing else: no script that got into it otherwise, nothing from a network.
 */
public final class Page {
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/";

    private final String title;
    private final StringBuilder body = new StringBuilder();
    private final List<Chart> charts = new ArrayList<>();

    public Page(String title) {
        this.title = title;
    }

    public Page heading(String text) {
        body.append("<h2>").append(Html.escaped(text)).append("</h2>\n");
        return this;
    }

    public Page paragraph(String text) {
        return paragraph("", text);
    }

    /** What must not be overlooked. */
    public Page warning(String text) {
        return paragraph(" class=\"warning\"", text);
    }

    /** What need not be read. */
    public Page small(String text) {
        return paragraph(" class=\"small\"", text);
    }

    public Page table(Table table) {
        body.append(table.html(true));
        return this;
    }

    /** A table of facts by name, not sorted. */
    public Page facts(Table table) {
        body.append(table.html(false));
        return this;
    }

    /** Side by side where the window is wide enough. */
    public Page charts(List<Chart> more) {
        body.append("<div class=\"charts\">\n");
        for (Chart c : more) body.append("<figure id=\"").append(c.id()).append("\"></figure>\n");
        body.append("</div>\n");
        charts.addAll(more);
        return this;
    }

    /** The whole file. */
    public String html() {
        String script = resource("page.js");
        String style = resource("page.css");
        String library = resource(UPLOT + "dist/uPlot.iife.min.js");
        String libraryStyle = resource(UPLOT + "dist/uPlot.min.css");
        String policy =
                "default-src 'none'; base-uri 'none'; form-action 'none'; script-src %s %s; style-src %s %s"
                        .formatted(
                                source(library),
                                source(script),
                                source(libraryStyle),
                                source(style));
        return """
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="%s">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <link rel="icon" href="data:,">
                <title>%s</title>
                """
                        .formatted(policy, Html.escaped(title))
                + ("<style>" + libraryStyle + "</style>\n")
                + ("<style>" + style + "</style></head><body>\n")
                + ("<header><h1>" + Html.escaped(title) + "</h1>")
                + "<button id=\"theme\" type=\"button\" title=\"light or dark\" hidden></button></header>\n"
                + "<noscript><p class=\"warning\">Charts need scripts, which are switched off.</p></noscript>\n"
                + ("<main>\n" + body + "</main>\n")
                + "<footer><details class=\"small\"><summary>Made by tokenrate. Charts: uPlot, under"
                + " the MIT licence.</summary><pre>"
                + (Html.escaped(resource(UPLOT + "LICENSE")) + "</pre></details></footer>\n")
                + ("<script type=\"application/json\" id=\"charts\">" + data() + "</script>\n")
                + ("<script>" + library + "</script>\n")
                + ("<script>" + script + "</script>\n")
                + "</body></html>\n";
    }

    /**
     * Writes the file whole or not at all.
     *
     * @throws IOException if that cannot be done, with the file and what to do
     */
    public void write(Path file) throws IOException {
        Path whole = file.toAbsolutePath();
        try {
            Path part = whole.resolveSibling(whole.getFileName() + ".part");
            Files.writeString(part, html());
            Files.move(part, whole, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IOException(
                    "cannot write %s (%s); give a file in a folder that exists and can be written"
                            .formatted(file, e.getClass().getSimpleName()),
                    e);
        }
    }

    private Page paragraph(String attributes, String text) {
        body.append("<p").append(attributes).append('>').append(Html.escaped(text));
        body.append("</p>\n");
        return this;
    }

    private String data() {
        var text = new StringWriter();
        try (var json = SAFE_JSON.createGenerator(text)) {
            json.writeStartArray();
            for (Chart c : charts) c.write(json);
            json.writeEndArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static String source(String inline) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(inline.getBytes(UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static String resource(String name) {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException(name + " is missing from the jar");
            // A browser takes CR LF for LF before it computes the digest.
            return new String(in.readAllBytes(), UTF_8).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** JSON that no script element ends in, whatever its strings hold. */
    private static final JsonFactory SAFE_JSON =
            new JsonFactoryBuilder()
                    .characterEscapes(new NoMarkup())
                    .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
                    .build();

    private static final class NoMarkup extends CharacterEscapes {
        private static final long serialVersionUID = 1;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] codes = standardAsciiEscapesForJSON();
            for (char c : "<>&'".toCharArray()) codes[c] = ESCAPE_STANDARD;
            return codes;
        }

        @Override
        public SerializableString getEscapeSequence(int c) {
            return new SerializedString("\\u%04x".formatted(c));
        }
    }
}

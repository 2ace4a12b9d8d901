package org.tokenrate.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Compares two sides, shows and writes the outcome, and decides a gate. */
public final class Compare {
    private Compare() {}

    /**
     * @param out the screen
     * @return whether the gate is passed; true without one
     * @throws IOException if the sides have no row in common or a file cannot be written
     * @throws IllegalArgumentException if the sides are not alike and {@link CompareOptions#force}
     *     is not set, or if so few forks were run that the gate could never fail; in sentences
     */
    public static boolean run(Side base, Side candidate, CompareOptions options, PrintStream out)
            throws IOException {
        Comparison c = Comparison.of(base, candidate, options.across());
        if (!c.differences().isEmpty() && !options.force()) throw notAlike(c);
        String markdown = MarkdownTable.of(c);
        String json = ComparisonJson.of(c);
        boolean shown = writeOrShow(options.markdown(), markdown, out);
        shown |= writeOrShow(options.json(), json, out);
        if (options.html().isPresent()) write(options.html().get(), ComparisonPage.of(c));
        if (!shown) out.print(TextTable.of(c));
        if (options.failOver().isEmpty()) return true;

        double ratio = options.failOver().getAsDouble();
        if (!c.isDecidable()) throw undecidable(c, ratio);
        List<Outcome> over = c.outcomes().stream().filter(o -> o.isSlowerBy(ratio)).toList();
        if (!shown) out.println(gate(c, over.size(), ratio));
        return over.isEmpty();
    }

    private static String gate(Comparison c, int over, double ratio) {
        String percent = percent(ratio);
        if (over > 0) {
            return "FAILED: %s slower by more than %s"
                    .formatted(
                            Legend.plural(over, "figure") + (over == 1 ? " is" : " are"), percent);
        }
        long blind = c.outcomes().stream().filter(o -> !o.wouldShow(ratio)).count();
        return "PASSED: no figure is shown to be slower by more than "
                + percent
                + (blind == 0
                        ? ""
                        : "; but %d of %d would likely not have shown it: measure more forks"
                                .formatted(blind, c.outcomes().size()));
    }

    private static IllegalArgumentException notAlike(Comparison c) {
        var text = new StringBuilder("base and candidate are not alike:");
        for (String d : c.differences()) text.append("\n  ").append(Format.plain(d));
        return new IllegalArgumentException(
                text.append("\n--force compares them all the same").toString());
    }

    private static IllegalArgumentException undecidable(Comparison c, double ratio) {
        int needed = c.outcomes().stream().mapToInt(Outcome::needed).max().orElse(0);
        String why =
                needed == 0
                        ? "no figure was measured on both sides"
                        : "no change, however large, could be told from noise with so few forks; measure %d a side, e.g. -f %d"
                                .formatted(needed, needed);
        return new IllegalArgumentException(
                "--fail-over " + percent(ratio) + " cannot be decided: " + why);
    }

    private static String percent(double ratio) {
        return String.format(Locale.ROOT, "%s %%", Format.number(100 * ratio, 1));
    }

    /** Whether it went to the screen. */
    private static boolean writeOrShow(Optional<String> where, String text, PrintStream out)
            throws IOException {
        if (where.isEmpty()) return false;
        if (where.get().equals(CompareOptions.SCREEN)) {
            out.print(text);
            return true;
        }
        write(where.get(), text);
        return false;
    }

    /** Whole or not at all. */
    private static void write(String name, String text) throws IOException {
        Path file = Path.of(name).toAbsolutePath();
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.writeString(part, text);
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IOException(
                    "cannot write %s (%s); give a file in a folder that exists and can be written"
                            .formatted(name, e.getClass().getSimpleName()),
                    e);
        }
    }
}

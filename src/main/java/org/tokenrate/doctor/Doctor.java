package org.tokenrate.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tokenrate.cache.CacheFolder;
import org.tokenrate.engine.Diagnosis;
import org.tokenrate.engine.Engines;
import org.tokenrate.run.Libraries;
import org.tokenrate.run.Machine;
import org.tokenrate.run.Version;

/** Looks over the machine, the folders and the engines. Changes nothing. */
public final class Doctor {
    private static final double GIB = 1L << 30;

    private Doctor() {}

    /** Whether the engine that {@code auto} picks can run. */
    public static boolean isWell() {
        Diagnosis auto = Engines.diagnose().get(Engines.auto());
        return auto != null && auto.ready();
    }

    /**
     * All that there is to say, a line each.
     *
     * @param results base folder of results
     */
    public static List<String> report(Path results) {
        var lines = new ArrayList<String>();
        Machine machine = Machine.here();
        line(lines, "tokenrate", Version.get());
        line(
                lines,
                "Java",
                System.getProperty("java.version")
                        + ", "
                        + System.getProperty("java.vm.name")
                        + ", "
                        + System.getProperty("java.vendor"));
        line(lines, "system", machine.os() + ", " + machine.arch());
        line(lines, "CPU", machine.cpu() + ", " + machine.cores() + " cores for Java");
        line(lines, "memory", "%.1f GiB".formatted(machine.memoryBytes() / GIB));
        line(lines, "cache", Folders.describe(CacheFolder.root()));
        line(lines, "results", Folders.describe(results.toAbsolutePath()));
        engines(lines, Engines.diagnose(), Engines.auto());
        heading(lines, "May disturb a measurement");
        List<String> disturbances = Disturbances.here(machine.cores());
        for (String d : disturbances) lines.add("  " + d);
        if (disturbances.isEmpty()) lines.add("  nothing found");
        heading(lines, "Libraries");
        Libraries.versions().forEach((name, version) -> lines.add("  " + name + " " + version));
        return lines;
    }

    private static void engines(List<String> lines, Map<String, Diagnosis> engines, String auto) {
        heading(lines, "Engines");
        engines.forEach(
                (name, d) -> {
                    String state = d.ready() ? "ready: " : "cannot run: ";
                    lines.add("  %-10s %s%s".formatted(name, state, d.summary()));
                    for (String fact : d.facts()) lines.add(" ".repeat(13) + fact);
                });
        lines.add("  %-10s %s".formatted("auto", "is " + auto + why(engines, auto)));
    }

    /** Better engines that cannot run are the reason for a lesser one. */
    private static String why(Map<String, Diagnosis> engines, String auto) {
        List<String> others =
                Engines.bySpeed().stream()
                        .takeWhile(name -> !name.equals(auto))
                        .filter(engines::containsKey)
                        .toList();
        return others.isEmpty() ? "" : ", since " + String.join(", ", others) + " cannot run";
    }

    private static void line(List<String> lines, String name, String text) {
        lines.add("%-12s %s".formatted(name, text));
    }

    private static void heading(List<String> lines, String text) {
        lines.add("");
        lines.add(text);
    }
}

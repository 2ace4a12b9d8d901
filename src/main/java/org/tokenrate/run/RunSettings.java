package org.tokenrate.run;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;

/**
 * What a run tells its forks, as system properties: JMH hands a fork nothing but parameters.
 *
 * @param folder the run's folder; empty if the benchmark runs without our command line, and then no
 *     request files are written
 * @param commit of the run, e.g. {@code 1a2b3c4-dirty}
 * @param pid of the run's own JVM; empty as {@code folder} is
 * @param swept names of the parameters that have several values, which name the request files
 */
public record RunSettings(
        Optional<Path> folder, String commit, OptionalLong pid, List<String> swept) {
    private static final String FOLDER = "tokenrate.run.folder";
    private static final String COMMIT = "tokenrate.run.commit";
    private static final String PID = "tokenrate.run.pid";
    private static final String SWEPT = "tokenrate.run.swept";

    /** As the run that started this JVM set them. */
    public static RunSettings of(Properties properties) {
        String swept = properties.getProperty(SWEPT, "");
        return new RunSettings(
                Optional.ofNullable(properties.getProperty(FOLDER)).map(Path::of),
                properties.getProperty(COMMIT, ""),
                properties.containsKey(PID)
                        ? OptionalLong.of(Long.parseLong(properties.getProperty(PID)))
                        : OptionalLong.empty(),
                swept.isEmpty() ? List.of() : List.of(swept.split(",")));
    }

    public Map<String, String> toProperties() {
        var p = new LinkedHashMap<String, String>();
        folder.ifPresent(f -> p.put(FOLDER, f.toAbsolutePath().toString()));
        p.put(COMMIT, commit);
        pid.ifPresent(id -> p.put(PID, Long.toString(id)));
        p.put(SWEPT, String.join(",", swept));
        return p;
    }
}

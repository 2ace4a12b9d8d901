package org.tokenrate.interleave;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.tokenrate.report.WholeFile;
import org.tokenrate.run.RunRecord;

/** Runs one fork of a side by that side's own jar, and files what it leaves. */
final class Fork {
    private static final String JMH_JSON = "jmh.json";

    private final Children children;
    private final List<String> arguments;
    private final Path results;

    /** Where a fork's run is until it is over: beside the results, to be moved and not copied. */
    private final Path pending;

    /**
     * @param arguments JMH's
     * @param results base folder
     */
    Fork(Children children, List<String> arguments, Path results, Path pending) {
        this.children = children;
        this.arguments = arguments;
        this.results = results;
        this.pending = pending;
    }

    /**
     * @param status of the program: 0 if all went well
     * @param jmhJson what it measured, if anything
     */
    record Outcome(int status, Optional<Path> jmhJson) {
        boolean isWhole() {
            return status == 0 && jmhJson.isPresent();
        }
    }

    /**
     * @param marks what its run.json is to say of the interleaving
     * @param log gets what it prints
     */
    Outcome run(Checkout side, Map<String, String> marks, Path log) throws IOException {
        int status = children.run(command(side), side.tree(), log);
        return new Outcome(status, file(marks));
    }

    /** Files what is there, of a run that is over. */
    Optional<Path> file(Map<String, String> marks) throws IOException {
        Optional<Path> jmhJson = Optional.empty();
        for (Path commit : folders(pending)) {
            for (Path run : folders(commit)) {
                mark(run, marks);
                Path filed = move(run, results.resolve(commit.getFileName()));
                Path json = filed.resolve(JMH_JSON);
                if (Files.isRegularFile(json)) jmhJson = Optional.of(json);
            }
            Files.deleteIfExists(commit);
        }
        return jmhJson;
    }

    private List<String> command(Checkout side) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 23) {
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        for (String name : List.of("jmh.ignoreLock", "tokenrate.cache")) {
            String value = System.getProperty(name);
            if (value != null) command.add("-D" + name + "=" + value);
        }
        command.add("-jar");
        command.add(side.jar().toString());
        command.addAll(arguments);
        command.addAll(List.of("-f", "1", "--results", pending.toString()));
        return command;
    }

    /** An older commit's own program does not know of it. */
    private static void mark(Path run, Map<String, String> marks) throws IOException {
        Path file = run.resolve(RunRecord.FILE);
        if (!Files.isRegularFile(file)) return;
        var mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        try {
            JsonNode record = mapper.readTree(file.toFile());
            if (!(record instanceof ObjectNode object)) return;
            object.set("interleaving", mapper.valueToTree(marks));
            WholeFile.write(file, mapper.writeValueAsString(object) + "\n");
        } catch (JsonProcessingException e) {
            // What is broken stays as it is, for whoever looks for the cause.
        }
    }

    /** To a name that no other run has. */
    private static Path move(Path run, Path commit) throws IOException {
        Files.createDirectories(commit);
        for (int i = 1; ; i++) {
            Path target = commit.resolve(run.getFileName() + (i == 1 ? "" : "-" + i));
            try {
                // A folder cannot take the place of one that is not empty: this keeps the name.
                Files.createDirectory(target);
                return Files.move(run, target, StandardCopyOption.REPLACE_EXISTING);
            } catch (FileAlreadyExistsException e) {
                // Another run's; the next name is free or taken in its turn.
            }
        }
    }

    private static List<Path> folders(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(Files::isDirectory).sorted().toList();
        }
    }
}

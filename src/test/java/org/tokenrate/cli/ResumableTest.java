package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.tokenrate.run.GitState;
import org.tokenrate.run.Libraries;
import org.tokenrate.run.Machine;
import org.tokenrate.run.ParameterStyle;
import org.tokenrate.run.Program;
import org.tokenrate.run.RunLock;
import org.tokenrate.run.RunRecord;

/** What may go on, on records of runs; {@link ResumedRunTest} has real ones. */
class ResumableTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;

    @BeforeEach
    void writeAStoppedRun() throws Exception {
        write("-p", "engine=simulated:1ms:1ms", "-p", "concurrency=1,4");
    }

    @Test
    void aRunThatNothingStandsInTheWayOfGoesOnWithWhatIsMissing() throws Exception {
        Resumable run = find();
        assertEquals(2, run.missing().size());
        run.lock().release(true);
    }

    @Test
    void anotherCommitIsRefused() throws Exception {
        edit(r -> r.put("commit", "0000000"));
        refused("the run cannot go on: its commit was 0000000");
        edit(
                r -> {
                    r.put("commit", GitState.of(Path.of("")).commit());
                    r.put("dirty", !GitState.of(Path.of("")).dirty());
                });
        refused("the run cannot go on: its commit was " + GitState.of(Path.of("")).commit());
    }

    @Test
    void anotherMachineJavaOrBuildIsRefused() throws Exception {
        edit(r -> ((ObjectNode) r.get("machine")).put("cpu", "Z80"));
        refused("the run cannot go on: its machine was ");
        write("-p", "engine=simulated");
        edit(r -> ((ObjectNode) r.get("jvm")).put("version", "1.0.2"));
        refused("the run cannot go on: its Java was {version=1.0.2,");
        write("-p", "engine=simulated");
        edit(r -> r.put("program", "00"));
        refused("the run cannot go on: this build of tokenrate is not the one that it began with");
    }

    @Test
    void aDatasetThatHasChangedIsRefused() throws Exception {
        String text =
                "[{\"id\":\"1\",\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},"
                        + "{\"from\":\"gpt\",\"value\":\"b\"}]}]";
        Path dataset = Files.writeString(folder.resolve("dialogues.json"), text);
        write("-p", "engine=simulated", "-p", "concurrency=1,4", "-p", "dataset=" + dataset);
        var params = JSON.createObjectNode();
        Resumable run = find();
        run.plan().combinations().get(0).params().forEach(params::put);
        run.lock().release(true);
        var entry = JSON.createObjectNode();
        entry.put("benchmark", "org.tokenrate.bench.RequestThroughputBenchmark.requests");
        entry.set("params", params);
        entry.putObject("primaryMetric");
        entry.putObject("secondaryMetrics").putObject("info.dataset_sha256=00");
        Files.writeString(folder.resolve("jmh.json"), "[" + entry + "]");
        refused(
                "the run cannot go on: the dataset "
                        + dataset
                        + " has changed: its SHA-256 was 00");
    }

    @Test
    void aFinishedRunIsRefused() throws Exception {
        edit(r -> r.put("status", "finished"));
        refused(folder + " is of a run that has measured everything");
    }

    @Test
    void aRunThatRunsIsRefused() throws Exception {
        RunLock lock = RunLock.take(folder).orElseThrow();
        refused(folder + " is of a run that is still running");
        lock.release(true);
    }

    @Test
    void aBrokenRecordIsRefused() throws Exception {
        Path file = folder.resolve("run.json");
        for (String broken : List.of("", "[1]", "{\"status\":", "null", "{\"machine\":7}", "{}")) {
            Files.writeString(file, broken);
            assertThrows(Exception.class, () -> find(), broken);
        }
        Files.writeString(file, "{\"status\":\n[");
        refused(file + " is not a run's record: it is broken in line ");
        Files.writeString(file, "[".repeat(100_000));
        refused(file + " is not a run's record");
        Files.delete(file);
        refused(folder + " is no run's folder: it has no run.json");
        write("-p", "engine=simulated");
        edit(r -> r.putArray("combinations").addObject().put("benchmark", "other"));
        refused(file + " is broken: its combinations are not those of its arguments");
    }

    @Test
    void aRecordCannotMakeItsReaderRunAProgramOrWriteAFile() throws Exception {
        for (List<String> hostile :
                List.of(
                        List.of("-jvm", "/tmp/evil"),
                        List.of("-jvmArgs", "-agentpath:/tmp/evil.so"),
                        List.of("-jvmArgsPrepend", "-javaagent:/tmp/evil.jar"),
                        List.of("-jvmArgsAppend", "-XX:OnError=evil"),
                        List.of("-prof", "async:libPath=/tmp/evil.so"),
                        List.of("-o", "/tmp/evil"),
                        List.of("-rff", "/tmp/evil"))) {
            var all = new ArrayList<>(List.of("-p", "engine=simulated", "-p", "concurrency=1,4"));
            all.addAll(hostile);
            write(all.toArray(String[]::new));
            refused("the run's " + hostile.get(0) + " ");
            // The user's own word makes the difference.
            Resumable run = find(hostile.toArray(String[]::new));
            run.lock().release(true);
        }
    }

    @Test
    void aProfilerOfOurOwnNeedsNoWord() throws Exception {
        write("-p", "engine=simulated", "-p", "concurrency=1,4", "-prof", "stages");
        find().lock().release(true);
        find("-prof", "stages").lock().release(true);
    }

    @Test
    void otherArgumentsThanTheRunsAreRefused() {
        String message =
                assertThrows(IllegalArgumentException.class, () -> find("-p", "concurrency=2"))
                        .getMessage();
        assertEquals(
                "--resume goes on with the run's own arguments, and concurrency=2 is none of them;"
                        + " start a new run for other ones",
                message);
    }

    private void refused(String start) {
        String message = assertThrows(Exception.class, () -> find()).getMessage();
        assertTrue(message.startsWith(start), message);
        assertEquals(1, message.lines().count());
    }

    private Resumable find(String... given) throws Exception {
        var all = new ArrayList<>(List.of("--resume", folder.toString()));
        all.addAll(List.of(given));
        Arguments arguments = Arguments.parse(all);
        var jmh = new CommandLineOptions(arguments.jmh().toArray(String[]::new));
        return Resumable.find(arguments.resume().orElseThrow(), arguments, jmh);
    }

    private interface Edit {
        void of(ObjectNode record) throws Exception;
    }

    private void edit(Edit edit) throws Exception {
        Path file = folder.resolve("run.json");
        var record = (ObjectNode) JSON.readTree(file.toFile());
        edit.of(record);
        Files.writeString(file, record.toPrettyString());
    }

    private void write(String... arguments) throws Exception {
        Files.deleteIfExists(folder.resolve("jmh.json"));
        var all = new ArrayList<>(List.of("RequestThroughput"));
        all.addAll(List.of(arguments));
        Arguments a = Arguments.parse(all);
        var jmh = new CommandLineOptions(a.jmh().toArray(String[]::new));
        GitState git = GitState.of(Path.of(""));
        new RunRecord(
                        "dev",
                        RunRecord.INTERRUPTED,
                        git.commit(),
                        git.dirty(),
                        "2026-01-01T00:00:00Z",
                        "",
                        all,
                        RunCommand.jvm(),
                        Libraries.versions(),
                        Machine.here(),
                        Plan.of(jmh, a.parameterNames(), ParameterStyle.JMH).combinations(),
                        List.of(),
                        List.of(),
                        Program.sha256(),
                        List.of(new RunRecord.Sitting("2026-01-01T00:00:00Z", "")),
                        Map.of())
                .write(folder);
    }
}

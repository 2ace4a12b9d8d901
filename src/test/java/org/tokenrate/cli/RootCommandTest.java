package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class RootCommandTest {
    @TempDir Path folder;

    @TestFactory
    Stream<DynamicTest> everySubcommandHasHelpWithExamplesAndItsExitStatus() {
        return subcommands()
                .map(
                        name ->
                                dynamicTest(
                                        name,
                                        () -> {
                                            Run run = execute(name, "--help");
                                            assertEquals(0, run.status, run.err);
                                            assertTrue(
                                                    run.out.startsWith(
                                                            "Usage: java -jar benchmarks.jar "
                                                                    + name),
                                                    run.out);
                                            assertTrue(run.out.contains("Examples\n"), run.out);
                                            assertTrue(run.out.contains("Exit status:"), run.out);
                                            assertEquals(run, execute("help", name));
                                        }));
    }

    @TestFactory
    Stream<DynamicTest> anUnknownOptionIsToldOnceAndEndsWithTwo() {
        return subcommands()
                .map(
                        name ->
                                dynamicTest(
                                        name,
                                        () -> {
                                            Run run = execute(name, "a", "b", "--hepl");
                                            assertEquals(2, run.status);
                                            assertEquals("", run.out);
                                            assertEquals(1, run.err.lines().count(), run.err);
                                            assertTrue(run.err.startsWith("ERROR: "), run.err);
                                        }));
    }

    @Test
    void theHelpNamesEverySubcommandInALine() {
        String help = Help.text();
        subcommands().forEach(name -> assertTrue(help.contains("\n  " + name + " "), help));
        assertTrue(help.lines().allMatch(line -> line.length() <= 100), help);
    }

    @Test
    void aMistypedSubcommandIsNotTakenForABenchmark() throws Exception {
        Cli cli = Cli.run(folder, "comapre", "a", "b", "--fail-over", "3%");
        assertEquals(2, cli.status());
        assertEquals("", cli.out());
        assertEquals(
                "ERROR: 'comapre' is no subcommand and matches no benchmark; did you mean compare?"
                        + " (-h shows the subcommands, -l lists the benchmarks)\n",
                cli.err());
        assertTrue(Files.notExists(folder.resolve("results")));
    }

    @Test
    void anErrorComesWithATraceOnlyWhenAskedFor() {
        var failure = new IllegalArgumentException("wrong");
        assertEquals("ERROR: wrong\n", told(failure));
        System.setProperty("tokenrate.trace", "true");
        try {
            assertTrue(told(failure).startsWith("ERROR: wrong\njava.lang.Illegal"));
        } finally {
            System.clearProperty("tokenrate.trace");
        }
    }

    @Test
    void aMistakeOfOursSaysSo() {
        String text = told(new IndexOutOfBoundsException("7"));
        assertTrue(text.startsWith("ERROR: unexpected java.lang.IndexOutOf"), text);
        assertTrue(text.contains("-Dtokenrate.trace=true"), text);
    }

    @Test
    void theNearestWordIsGuessedAndFarOnesAreNot() {
        List<String> known = List.of("compare", "completion", "csv", "sample");
        assertEquals(Optional.of("compare"), Spelling.nearest("compre", known));
        assertEquals(Optional.of("compare"), Spelling.nearest("comapre", known));
        assertEquals(Optional.of("sample"), Spelling.nearest("smaple", known));
        assertEquals(Optional.of("completion"), Spelling.nearest("compl", known));
        assertEquals(Optional.of("csv"), Spelling.nearest("cvs", known));
        assertEquals(Optional.empty(), Spelling.nearest("comp", known));
        assertEquals(Optional.empty(), Spelling.nearest("Request", known));
        assertEquals(Optional.empty(), Spelling.nearest("csx-", known));
        assertEquals(Optional.empty(), Spelling.nearest("", known));
    }

    @Test
    void theCompletionScriptCompletesSubcommandsOptionsAndParameters() throws Exception {
        Run script = execute("completion");
        assertEquals(0, script.status, script.err);
        Path file = Files.writeString(folder.resolve("completion.bash"), script.out);
        assertEquals(List.of("compare"), completed(file, "compa"));
        assertEquals(List.of("--fail-over"), completed(file, "compare --fail"));
        assertEquals(List.of("concurrency="), completed(file, "-p conc"));
    }

    /** As bash does it: the words, the index of the one that is being typed, and the function. */
    private List<String> completed(Path script, String words) throws Exception {
        String[] all = words.split(" ");
        String asks =
                "source '%s'; COMP_WORDS=(tokenrate %s); COMP_CWORD=%d; _complete_tokenrate; echo \"${COMPREPLY[@]}\""
                        .formatted(script, words, all.length);
        Process bash =
                new ProcessBuilder("bash", "-c", asks)
                        .redirectError(folder.resolve("bash-errors").toFile())
                        .start();
        String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(bash.waitFor(1, TimeUnit.MINUTES));
        return List.of(out.strip().split("\\s+"));
    }

    private static Stream<String> subcommands() {
        return RootCommand.commandLine().getSubcommands().keySet().stream()
                .filter(name -> !name.equals("help"));
    }

    private static String told(Exception e) {
        var text = new StringWriter();
        assertEquals(2, Errors.report(e, new PrintWriter(text)));
        return text.toString();
    }

    record Run(int status, String out, String err) {}

    private static Run execute(String... args) {
        var out = new StringWriter();
        var err = new StringWriter();
        CommandLine root = RootCommand.commandLine();
        root.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int status = root.execute(args);
        assertFalse(err.toString().contains("\tat "), err.toString());
        return new Run(status, out.toString(), err.toString());
    }
}

package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    @Test
    void jmhNeverSeesOurOwn() {
        var a = Arguments.parse(List.of("Request", "--results", "out", "-p", "tp=1,2", "-i", "2"));
        assertEquals(List.of("Request", "-p", "tp=1,2", "-i", "2"), a.jmh());
        assertEquals(Path.of("out"), a.results());
        assertEquals(Set.of("tp"), a.parameterNames());
    }

    @Test
    void jmhKnowsOurProfilersByTheirClass() {
        List<String> given = List.of("-prof", "gc", "-prof", "stages", "stages");
        assertEquals(
                List.of("-prof", "gc", "-prof", "org.tokenrate.bench.StagesProfiler", "stages"),
                Arguments.parse(given).jmh());
        assertEquals(given, Arguments.parse(given).all());
    }

    @Test
    void theFolderMayFollowAnEqualsSign() {
        assertEquals(Path.of("a/b"), Arguments.parse(List.of("--results=a/b")).results());
    }

    @Test
    void resultsIsTheDefaultFolder() {
        assertEquals(Path.of("results"), Arguments.parse(List.of()).results());
    }

    @Test
    void aFolderThatIsNotGivenIsMissed() {
        assertEquals(
                "--results needs a folder, e.g. --results /tmp/results",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Arguments.parse(List.of("--results")))
                        .getMessage());
    }
}

package org.tokenrate.softgpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the tests of a class in this JVM. Arguments: the class, the file for the results. */
final class SoftGpuTests {
    private SoftGpuTests() {}

    public static void main(String[] arguments) throws IOException {
        System.setProperty(SoftGpuExtension.THERE, "true");
        Map<String, String> results = new TreeMap<>();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(DiscoverySelectors.selectClass(arguments[0]))
                                .filters(EngineFilter.includeEngines("junit-jupiter"))
                                .build(),
                        new Listener(results));
        new ObjectMapper().writeValue(Path.of(arguments[1]).toFile(), results);
        System.exit(0); // runs what the software GPU does at exit, whatever threads are left
    }

    private record Listener(Map<String, String> results) implements TestExecutionListener {
        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            results.put(test.getUniqueId(), Results.skipped(reason));
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            String text =
                    switch (result.getStatus()) {
                        case SUCCESSFUL -> "";
                        case ABORTED ->
                                Results.skipped(
                                        result.getThrowable()
                                                .map(Throwable::getMessage)
                                                .orElse("aborted"));
                        case FAILED -> result.getThrowable().map(Listener::trace).orElse("failed");
                    };
            // A class that succeeds says nothing of its tests.
            if (test.isTest() || !text.isEmpty()) {
                results.put(
                        test.isTest() ? test.getUniqueId() : test.getDisplayName() + ": ", text);
            }
        }

        private static String trace(Throwable failure) {
            StringWriter text = new StringWriter();
            failure.printStackTrace(new PrintWriter(text));
            return text.toString()
                    .lines()
                    .filter(line -> !line.startsWith("\tat ") || line.contains("org.tokenrate"))
                    .filter(line -> !line.contains(SoftGpuExtension.class.getName()))
                    .collect(Collectors.joining("\n"));
        }
    }
}

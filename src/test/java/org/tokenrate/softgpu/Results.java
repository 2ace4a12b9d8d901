package org.tokenrate.softgpu;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.opentest4j.TestAbortedException;

/**
 * What became of the tests of a class in the other JVM.
 *
 * @param byId of each test or class that ran: empty, or how it failed, or "skipped: " and why
 */
record Results(Map<String, String> byId, SoftGpu.Ended ended) {
    private static final String SKIPPED = "skipped: ";

    /** Characters of its output that an error quotes. */
    private static final int QUOTED = 6000;

    static String skipped(String why) {
        return SKIPPED + why;
    }

    static Results read(Path file, SoftGpu.Ended ended) throws IOException {
        if (!Files.exists(file)) return new Results(Map.of(), ended);
        return new Results(
                new ObjectMapper()
                        .readValue(file.toFile(), new TypeReference<Map<String, String>>() {}),
                ended);
    }

    void require(String id) {
        String result = byId.get(id);
        if (result == null) {
            throw new AssertionError("the JVM on the software GPU did not run it" + end());
        }
        if (result.startsWith(SKIPPED)) {
            throw new TestAbortedException(result.substring(SKIPPED.length()));
        }
        if (!result.isEmpty()) throw new AssertionError("on the software GPU: " + result);
    }

    /** That no class failed as a whole and that nothing was left over when the JVM ended. */
    void requireCleanEnd() {
        byId.forEach(
                (id, result) -> {
                    if (id.endsWith("]") || result.isEmpty() || result.startsWith(SKIPPED)) return;
                    throw new AssertionError("on the software GPU, " + id + result);
                });
        if (ended.exit() != 0) {
            throw new AssertionError(
                    "the JVM on the software GPU ended with " + ended.exit() + end());
        }
        if (ended.report().contains("leak: ")) {
            throw new AssertionError("left over on the software GPU:\n" + ended.report());
        }
    }

    private String end() {
        String output = ended.output();
        return ":\n" + output.substring(Math.max(0, output.length() - QUOTED));
    }
}

package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

class LibrariesTest {
    @Test
    void theBuildFilledInEveryVersion() {
        var versions = Libraries.versions();
        assertEquals(
                Set.of(
                        "jmh",
                        "javacpp",
                        "cuda-preset",
                        "dnnl-preset",
                        "djl-tokenizers",
                        "djl-sentencepiece",
                        "jtokkit",
                        "jackson"),
                versions.keySet());
        versions.forEach((name, v) -> assertTrue(v.matches("[0-9][0-9.-]+"), name + "=" + v));
    }
}

package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class KernelSourceTest {
    @Test
    void headersComeWithTheHeadersThatTheyInclude() {
        KernelSource source = KernelSource.read("prefill.cu");
        assertTrue(source.text().contains("attention_prefill"));
        assertEquals(
                List.of("attention.cuh", "common.cuh", "ptx.cuh"),
                List.copyOf(source.headers().keySet()));
        assertTrue(source.headers().get("ptx.cuh").contains("multiply_16x8x16"));
    }
}

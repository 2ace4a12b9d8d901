package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.cuda.global.nvrtc;
import org.junit.jupiter.api.Test;

/**
 * Every kernel, type and head size, by the NVRTC that the engine would use: where a CUDA toolkit is
 * on the library path, or the profile cuda-redist brings it. The same by nvcc, with registers, is
 * .ci/compile-kernels.
 */
final class RealNvrtcTest {
    private static final List<String> ARCHITECTURES =
            List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120");
    private static final List<String> OF_ANY_HEAD =
            List.of("embedding.cu", "norm.cu", "elementwise.cu", "gather.cu", "awq.cu", "sampling.cu");
    private static final List<String> BY_HEAD = List.of("rope.cu", "prefill.cu", "decode.cu");

    private record Unit(String file, List<String> options, String architecture) {
        /** What is wrong with it; empty if nothing. */
        Stream<String> compile() {
            try {
                byte[] image = Gpu.compile(file, options, architecture);
                return image.length > 0 ? Stream.empty() : Stream.of(this + " gave nothing");
            } catch (IllegalStateException e) {
                return Stream.of(architecture + ": " + e.getMessage());
            }
        }
    }

    private static boolean isHere() {
        try {
            return nvrtc.nvrtcVersion(new int[1], new int[1]) == 0;
        } catch (LinkageError e) {
            return false;
        }
    }

    private static Stream<Unit> units(Element type, String architecture) {
        Stream<Unit> any =
                OF_ANY_HEAD.stream().map(f -> new Unit(f, List.of(type.option()), architecture));
        Stream<Unit> byHead =
                Stream.of(64, 80, 96, 128)
                        .map(dim -> List.of(type.option(), "-DTR_HEAD_DIM=" + dim))
                        .flatMap(o -> BY_HEAD.stream().map(f -> new Unit(f, o, architecture)));
        return Stream.concat(any, byHead);
    }

    @Test
    void everyKernelCompilesForEveryArchitecture() {
        assumeTrue(isHere(), "no NVRTC on this machine: see the profile cuda-redist");
        List<Unit> all =
                ARCHITECTURES.stream()
                        .flatMap(a -> Stream.of(Element.values()).flatMap(t -> units(t, a)))
                        .toList();
        List<String> wrong = all.parallelStream().flatMap(Unit::compile).toList();
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
        assertEquals(7 * 2 * (6 + 3 * 4), all.size());
    }
}

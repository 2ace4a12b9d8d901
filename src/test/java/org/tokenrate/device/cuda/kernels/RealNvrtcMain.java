package org.tokenrate.device.cuda.kernels;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.cuda.global.nvrtc;

/**
 * Compiles every kernel, type and head size for every architecture with the NVRTC that it finds,
 * and prints what is wrong. Ends with 0 if nothing is, 1 otherwise, 3 if there is no NVRTC.
 */
final class RealNvrtcMain {
    static final int NO_NVRTC = 3;

    /** Where an ELF file names the machine that it is for, and NVIDIA's number. */
    private static final int MACHINE = 18;

    private static final int CUDA = 190;

    private static final List<String> ARCHITECTURES =
            List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120");
    private static final List<String> OF_ANY_HEAD =
            List.of(
                    "embedding.cu",
                    "norm.cu",
                    "elementwise.cu",
                    "gather.cu",
                    "awq.cu",
                    "sampling.cu");
    private static final List<String> BY_HEAD = List.of("rope.cu", "prefill.cu", "decode.cu");

    private RealNvrtcMain() {}

    private record Unit(String file, List<String> options, String architecture) {
        /** What is wrong with it; empty if nothing. */
        Stream<String> compile() {
            try {
                byte[] image = Gpu.compile(file, options, architecture);
                boolean isCubin = image.length > MACHINE && image[MACHINE] == (byte) CUDA;
                return isCubin ? Stream.empty() : Stream.of(this + " gave no cubin");
            } catch (IllegalStateException e) {
                return Stream.of(architecture + ": " + e.getMessage());
            }
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

    public static void main(String[] arguments) {
        int[] major = new int[1];
        int[] minor = new int[1];
        try {
            nvrtc.nvrtcVersion(major, minor);
        } catch (LinkageError e) {
            System.out.println("no NVRTC: " + e.getMessage());
            System.exit(NO_NVRTC);
        }
        List<Unit> all =
                ARCHITECTURES.stream()
                        .flatMap(a -> Stream.of(Element.values()).flatMap(t -> units(t, a)))
                        .toList();
        List<String> wrong = all.parallelStream().flatMap(Unit::compile).toList();
        wrong.forEach(System.out::println);
        System.out.println(
                "NVRTC %d.%d compiled %d units, %d of them with faults"
                        .formatted(major[0], minor[0], all.size(), wrong.size()));
        System.exit(wrong.isEmpty() ? 0 : 1);
    }
}

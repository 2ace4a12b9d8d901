package org.tokenrate.device.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * NVRTC: CUDA C++ to a cubin, the very machine code of one architecture. (PTX would leave the last
 * step to the driver, and a driver older than NVRTC does not read its PTX.)
 */
final class KernelCompiler {
    private KernelCompiler() {}

    /** Its version, e.g. 13.1. */
    static String version() {
        int[] major = new int[1];
        int[] minor = new int[1];
        Status.nvrtc(nvrtc.nvrtcVersion(major, minor), "nvrtcVersion");
        return major[0] + "." + minor[0];
    }

    /**
     * @param architecture e.g. sm_80
     * @param options further ones, e.g. {@code -DTR_TYPE_BF16=1}
     * @throws CudaException if it does not compile, with the compiler's log
     */
    static byte[] compile(KernelSource source, String architecture, List<String> options) {
        List<String> all = new ArrayList<>();
        all.add("--gpu-architecture=" + architecture);
        all.add("--std=c++17");
        all.addAll(options);
        _nvrtcProgram program = new _nvrtcProgram();
        // Texts live until the program is destroyed.
        List<String> names = List.copyOf(source.headers().keySet());
        List<String> texts = List.copyOf(source.headers().values());
        try (BytePointer text = text(source.text());
                BytePointer file = text(source.file());
                PointerPointer<BytePointer> headers = pointers(texts);
                PointerPointer<BytePointer> includes = pointers(names);
                PointerPointer<BytePointer> arguments = pointers(all)) {
            Status.nvrtc(
                    nvrtc.nvrtcCreateProgram(program, text, file, names.size(), headers, includes),
                    "nvrtcCreateProgram for " + source.file());
            try {
                int status = nvrtc.nvrtcCompileProgram(program, all.size(), arguments);
                if (status == nvrtc.NVRTC_ERROR_COMPILATION) {
                    throw new CudaException(
                            "%s does not compile for %s with %s:\n%s"
                                    .formatted(
                                            source.file(),
                                            architecture,
                                            String.join(" ", options),
                                            log(program)));
                }
                Status.nvrtc(
                        status, "nvrtcCompileProgram of " + source.file() + " for " + architecture);
                return cubin(program);
            } finally {
                nvrtc.nvrtcDestroyProgram(program);
            }
        }
    }

    private static byte[] cubin(_nvrtcProgram program) {
        try (SizeTPointer size = new SizeTPointer(1)) {
            Status.nvrtc(nvrtc.nvrtcGetCUBINSize(program, size), "nvrtcGetCUBINSize");
            byte[] cubin = new byte[Math.toIntExact(size.get())];
            Status.nvrtc(nvrtc.nvrtcGetCUBIN(program, cubin), "nvrtcGetCUBIN");
            return cubin;
        }
    }

    private static String log(_nvrtcProgram program) {
        try (SizeTPointer size = new SizeTPointer(1)) {
            Status.nvrtc(nvrtc.nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
            byte[] log = new byte[Math.toIntExact(size.get())];
            Status.nvrtc(nvrtc.nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
            return new String(log, StandardCharsets.UTF_8).replace("\0", "").strip();
        }
    }

    private static BytePointer text(String text) {
        return new BytePointer(text, StandardCharsets.UTF_8);
    }

    private static PointerPointer<BytePointer> pointers(List<String> texts) {
        return new PointerPointer<>(
                texts.stream().map(KernelCompiler::text).toArray(BytePointer[]::new));
    }
}

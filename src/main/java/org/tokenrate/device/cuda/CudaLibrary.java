package org.tokenrate.device.cuda;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.Loader;

/**
 * The libraries that engine=cuda stands on, and where each is to be had. None is touched before.
 */
enum CudaLibrary {
    DRIVER(
            "the CUDA driver and runtime",
            cudart.class,
            "install NVIDIA's driver 580 or newer for libcuda; libcudart is of the CUDA 13 toolkit,"
                    + " or in the jar with mvn -Pcuda-redist"),
    NVRTC(
            "NVRTC, the compiler of kernels",
            nvrtc.class,
            "it is of the CUDA 13 toolkit (package cuda-nvrtc-13-1), or in the jar with mvn"
                    + " -Pcuda-redist"),
    CUBLAS(
            "cuBLAS",
            cublas.class,
            "it is of the CUDA 13 toolkit (package libcublas-13-1) and of nvidia/cuda's runtime"
                    + " containers"),
    NCCL(
            "NCCL, which tp above 1 needs",
            nccl.class,
            "it is NVIDIA's package libnccl2 for CUDA 13; tp=1 does without");

    /** How the loaders of Linux and macOS, and JavaCPP, name what they do not find. */
    private static final Pattern MISSING =
            Pattern.compile("(lib[\\w.+-]+?\\.so[.\\d]*): cannot open|no (jni\\w+) in");

    private final String title;
    private final Class<?> preset;
    private final String howToGet;

    CudaLibrary(String title, Class<?> preset, String howToGet) {
        this.title = title;
        this.preset = preset;
        this.howToGet = howToGet;
    }

    /**
     * Loads it, if it is not.
     *
     * @throws CudaException if it is not on this machine, with its name and how to get it
     */
    void require() {
        if (this == DRIVER && Platform.isLinux()) requireDriver();
        try {
            Loader.load(preset);
        } catch (LinkageError e) {
            throw new CudaException(
                    "engine=cuda needs %s, which does not load%s: %s"
                            .formatted(title, missing(e), howToGet),
                    e);
        }
    }

    /**
     * Asks for the one library that only NVIDIA's driver brings, before any of ours is unpacked.
     */
    private static void requireDriver() {
        try {
            NativeLibrary.getInstance("libcuda.so.1");
        } catch (UnsatisfiedLinkError e) {
            throw new CudaException(
                    "engine=cuda needs NVIDIA's driver, but libcuda.so.1 is not on this machine:"
                            + " install driver 580 or newer; a container needs --gpus all",
                    e);
        }
    }

    /** Whether it loads. */
    boolean isHere() {
        try {
            require();
            return true;
        } catch (CudaException e) {
            return false;
        }
    }

    /** The file that the system's loader missed, as far as it says. */
    private static String missing(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            Matcher m = MISSING.matcher(String.valueOf(t.getMessage()));
            if (m.find() && m.group(1) != null) return " (" + m.group(1) + " is missing)";
        }
        return " (" + e.getMessage() + ")";
    }
}

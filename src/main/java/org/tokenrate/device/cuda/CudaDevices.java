package org.tokenrate.device.cuda;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;

/**
 * The GPUs of this machine. Which ones are visible, and in which order, is the driver's business:
 * CUDA_VISIBLE_DEVICES in the environment chooses.
 */
public final class CudaDevices {
    /** Numbers that kernels take at once: widths of layers, and of ranks' parts, are multiples. */
    public static final int ALIGNED = WeightLoader.ALIGNED;

    private CudaDevices() {}

    /**
     * What there is, in words.
     *
     * @param ready whether a model could run
     * @param summary the devices; or what is missing and how to get it
     * @param facts a sentence each
     */
    public record Survey(boolean ready, String summary, List<String> facts) {}

    /** Looks for the driver, the devices and the libraries; never fails. */
    public static Survey survey() {
        List<String> facts = new ArrayList<>();
        try {
            List<Gpu> gpus = Gpu.all();
            for (Gpu gpu : gpus) {
                facts.add("device %d: %s".formatted(gpu.ordinal(), gpu.description()));
            }
            facts.add("the driver supports CUDA " + Gpu.driverVersion());
            gpus.get(0).requireSupported();
            CudaLibrary.NVRTC.require();
            facts.add("NVRTC " + KernelCompiler.version());
            CudaLibrary.CUBLAS.require();
            facts.add("cuBLAS is here");
            facts.add("dtype=auto is " + gpus.get(0).preferredType().label());
            facts.add(tensorParallelism(gpus.size()));
            String count = gpus.size() == 1 ? "" : gpus.size() + " devices, the first: ";
            return new Survey(true, count + gpus.get(0).description(), facts);
        } catch (CudaException e) {
            return new Survey(false, e.getMessage(), facts);
        }
    }

    private static String tensorParallelism(int devices) {
        if (devices == 1) return "one device: tp=1 only";
        try {
            CudaLibrary.NCCL.require();
            return "tp up to %d, with NCCL %s"
                    .formatted(Integer.highestOneBit(devices), Nccl.libraryVersion());
        } catch (CudaException e) {
            return "tp=1 only: " + e.getMessage();
        }
    }

    /**
     * How many there are.
     *
     * @throws CudaException if there is none, or no driver
     */
    public static int count() {
        return Gpu.all().size();
    }

    /** bf16 where the first device multiplies it, else f16. */
    public static DType preferredType() {
        return Gpu.all().get(0).preferredType();
    }

    /**
     * @throws IllegalArgumentException unless the devices have products of that type
     */
    public static void requireMultiplied(DType dtype) {
        if (dtype == DType.F32) {
            throw new IllegalArgumentException(
                    "dtype=f32: engine=cuda computes in 16 bits; use dtype=bf16, f16 or auto, or"
                            + " engine=cpu");
        }
        for (Gpu gpu : Gpu.all()) {
            if (!gpu.multiplies(dtype)) {
                throw new IllegalArgumentException(
                        "dtype=%s: %s has no products of that type; use dtype=f16"
                                .formatted(dtype.label(), gpu.description()));
            }
        }
    }

    /**
     * @param widths of the residual stream and of the MLP's middle
     * @throws IllegalArgumentException unless there are kernels for a model of that shape
     */
    public static void requireKernels(int headDim, List<Integer> widths) {
        if (!HeadKernels.HEAD_SIZES.contains(headDim)) {
            throw new IllegalArgumentException(
                    "the model's heads are %d wide; engine=cuda has kernels for %s: use engine=cpu"
                            .formatted(headDim, HeadKernels.HEAD_SIZES));
        }
        for (int width : widths) {
            if (width % ALIGNED != 0) {
                throw new IllegalArgumentException(
                        "the model has layers %d wide; engine=cuda needs multiples of %d: use engine=cpu"
                                .formatted(width, ALIGNED));
            }
        }
    }

    /**
     * Opens the first devices, as the ranks of one model.
     *
     * @param dtype F16 or BF16
     * @param withGraphs whether decoding iterations are recorded as CUDA graphs
     * @throws CudaException if something is missing or refused; nothing is then left open
     */
    public static List<Device> open(int ranks, DType dtype, boolean withGraphs) {
        List<Gpu> gpus = Gpu.all();
        if (ranks > gpus.size()) {
            throw new IllegalArgumentException(
                    "tp=%d is more than the %d devices that are visible"
                            .formatted(ranks, gpus.size()));
        }
        List<RankLink> links =
                ranks == 1 ? List.of(RankLink.ALONE) : Nccl.links(gpus.subList(0, ranks));
        List<Device> devices = new ArrayList<>();
        try {
            for (int r = 0; r < ranks; r++) {
                devices.add(new CudaDevice(gpus.get(r), dtype, links.get(r), withGraphs));
            }
        } catch (RuntimeException | Error e) {
            devices.forEach(Device::close);
            // The one that failed has closed its link.
            links.stream().skip(devices.size() + 1).forEach(RankLink::close);
            throw e;
        }
        return devices;
    }
}

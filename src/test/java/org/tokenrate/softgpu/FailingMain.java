package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cublas.*;
import static org.bytedeco.cuda.global.cudart.*;

import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Allocates, launches and gives back, and prints the code of each call. Arguments: {@code leave} to
 * give nothing back, {@code touch} to read device memory on the host.
 */
final class FailingMain {
    private FailingMain() {}

    private static void print(String call, int code) {
        System.out.println(call + " " + code);
    }

    public static void main(String[] arguments) {
        String what = arguments.length == 0 ? "" : arguments[0];
        print("init", cuInit(0));
        CUctx_st context = new CUctx_st();
        print("retain", cuDevicePrimaryCtxRetain(context, 0));
        print("current", cuCtxSetCurrent(context));
        long[] address = new long[1];
        print("alloc", cuMemAlloc(address, 100));
        long[] second = new long[1];
        print("alloc", cuMemAlloc(second, 200));
        Pointer pinned = new Pointer();
        print("pinned", cuMemAllocHost(pinned, 64));
        CUstream_st stream = new CUstream_st();
        print("stream", cuStreamCreate(stream, 0));
        CUevent_st event = new CUevent_st();
        print("event", cuEventCreate(event, 0));
        cublasContext handle = new cublasContext();
        print("cublas", cublasCreate_v2(handle));
        CUmod_st module = new CUmod_st();
        int loaded = -1;
        try (BytePointer image =
                new BytePointer(
                        TestDevice.compile(
                                "extern \"C\" __global__ void set(int* x) { x[0] = 1; }"))) {
            loaded = cuModuleLoadData(module, image);
        } catch (IllegalArgumentException e) {
            System.out.println(e.getMessage());
        }
        print("module", loaded);
        if (loaded == 0) {
            CUfunc_st set = new CUfunc_st();
            print("function", cuModuleGetFunction(set, module, "set"));
            print(
                    "launch",
                    cuLaunchKernel(
                            set,
                            1,
                            1,
                            1,
                            1,
                            1,
                            1,
                            0,
                            stream,
                            new PointerPointer<>(new LongPointer[] {new LongPointer(address)}),
                            null));
        }
        print("wait", cuStreamSynchronize(stream));
        if (what.equals("touch")) {
            System.out.println(new LongPointer().address() + readOnHost(address[0]));
        }
        if (what.equals("leave")) return;
        print("unload", cuModuleUnload(module));
        print("cublas", cublasDestroy_v2(handle));
        print("event", cuEventDestroy(event));
        print("stream", cuStreamDestroy(stream));
        print("pinned", cuMemFreeHost(pinned));
        print("free", cuMemFree(second[0]));
        print("free", cuMemFree(address[0]));
        print("release", cuDevicePrimaryCtxRelease(0));
    }

    private static long readOnHost(long address) {
        return new LongPointer() {
            LongPointer at(long there) {
                this.address = there;
                return this;
            }
        }.at(address).get();
    }
}

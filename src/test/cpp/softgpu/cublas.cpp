// cuBLAS: products of 16-bit or 32-bit matrices, summed in 32 bits.
#include "half.h"
#include "softgpu.h"
#include <algorithm>
#include <unordered_map>

using namespace softgpu;

namespace {

enum { SUCCESS = 0, NOT_INITIALIZED = 1, ALLOC_FAILED = 3, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };

struct Handle {
    Context *context;
    void *stream = nullptr;
    int mathMode = 0, pointerMode = 0;
    bool destroyed = false;
};

std::unordered_map<void *, std::unique_ptr<Handle>> &handles() {
    static auto &handles = *new std::unordered_map<void *, std::unique_ptr<Handle>>;
    return handles;
}

struct LeakedHandles {
    ~LeakedHandles() {
        size_t live = 0;
        for (auto &entry : handles()) live += !entry.second->destroyed;
        if (live != 0) report(format("leak: %zu cuBLAS handles", live));
    }
} leakedHandles;

struct Status {
    int code;
};

Handle &handleOf(void *handle) {
    auto found = handles().find(handle);
    if (found == handles().end() || found->second->destroyed) {
        report("cuBLAS: a handle that does not exist, or not any more");
        throw Status{NOT_INITIALIZED};
    }
    return *found->second;
}

/** Runs a call's body under the lock; a Refusal of the driver becomes EXECUTION_FAILED. */
int status(const char *name, const std::function<void()> &body) {
    int result = SUCCESS;
    CUresult code = softgpu::call(name, [&] {
        try {
            if (failsNow("cublas")) throw Status{EXECUTION_FAILED};
            body();
        } catch (const Status &s) {
            result = s.code;
        }
    });
    return code == CUDA_SUCCESS ? result : code == CUDA_ERROR_INVALID_VALUE ? INVALID_VALUE : EXECUTION_FAILED;
}

Type typeOf(int cudaType) {
    switch (cudaType) {
    case 0: return Type::f32;
    case 2: return Type::f16;
    case 14: return Type::bf16;
    default: throw Status{NOT_SUPPORTED};
    }
}

struct Matrix {
    CUdeviceptr data;
    Type type;
    int rows, columns, leading; // column-major as stored
    long long stride;

    size_t elements() const { return rows == 0 || columns == 0 ? 0 : static_cast<size_t>(columns - 1) * static_cast<size_t>(leading) + static_cast<size_t>(rows); }
    size_t bytes(int batch) const { return (static_cast<size_t>(batch - 1) * static_cast<size_t>(stride) + elements()) * sizeOf(type); }
    char *at(int batch) const { return reinterpret_cast<char *>(data) + static_cast<size_t>(batch) * static_cast<size_t>(stride) * sizeOf(type); }
};

struct Product {
    int m, n, k;
    bool transposeA, transposeB;
    Matrix a, b, c;
    float alpha, beta;
    int batch;
};

/** Rows [first, first + count) of the operand, each k long and without gaps, as 32-bit floats. */
void gather(const Matrix &x, int batch, bool rowsAreColumns, int first, int count, int k, float *out) {
    const char *data = x.at(batch);
    const size_t size = sizeOf(x.type), leading = static_cast<size_t>(x.leading);
    if (rowsAreColumns) {
        for (int r = 0; r < count; r++) toFloats(data + static_cast<size_t>(first + r) * leading * size, x.type, out + static_cast<size_t>(r) * static_cast<size_t>(k), static_cast<size_t>(k));
        return;
    }
    std::vector<float> column(static_cast<size_t>(count));
    for (int i = 0; i < k; i++) {
        toFloats(data + (static_cast<size_t>(i) * leading + static_cast<size_t>(first)) * size, x.type, column.data(), static_cast<size_t>(count));
        for (int r = 0; r < count; r++) out[static_cast<size_t>(r) * static_cast<size_t>(k) + static_cast<size_t>(i)] = column[static_cast<size_t>(r)];
    }
}

using Lanes = float __attribute__((vector_size(32), aligned(4)));

float sum(const Lanes &v) {
    float s = 0;
    for (int i = 0; i < 8; i++) s += v[i];
    return s;
}

/** Dot products of `rows` (up to 4) rows of b with one row of a. */
template <int rows> void dots(const float *a, const float *b, size_t k, float *out) {
    Lanes sums[rows] = {};
    size_t i = 0;
    for (; i + 8 <= k; i += 8) {
        const Lanes x = *reinterpret_cast<const Lanes *>(a + i);
        for (int r = 0; r < rows; r++) sums[r] += x * *reinterpret_cast<const Lanes *>(b + static_cast<size_t>(r) * k + i);
    }
    for (int r = 0; r < rows; r++) {
        float s = sum(sums[r]);
        for (size_t j = i; j < k; j++) s += a[j] * b[static_cast<size_t>(r) * k + j];
        out[r] = s;
    }
}

void multiply(const Product &p) {
    constexpr int tile = 64;
    const auto k = static_cast<size_t>(p.k);
    std::vector<float> a(tile * k), b(static_cast<size_t>(p.n) * k);
    for (int batch = 0; batch < p.batch; batch++) {
        gather(p.b, batch, !p.transposeB, 0, p.n, p.k, b.data());
        for (int i0 = 0; i0 < p.m; i0 += tile) {
            const int count = std::min(tile, p.m - i0);
            gather(p.a, batch, p.transposeA, i0, count, p.k, a.data());
            for (int j = 0; j < p.n; j += 4) {
                const int columns = std::min(4, p.n - j);
                for (int i = 0; i < count; i++) {
                    float out[4];
                    const float *x = a.data() + static_cast<size_t>(i) * k, *y = b.data() + static_cast<size_t>(j) * k;
                    switch (columns) {
                    case 4: dots<4>(x, y, k, out); break;
                    case 3: dots<3>(x, y, k, out); break;
                    case 2: dots<2>(x, y, k, out); break;
                    default: dots<1>(x, y, k, out);
                    }
                    for (int c = 0; c < columns; c++) {
                        const size_t index = static_cast<size_t>(j + c) * static_cast<size_t>(p.c.leading) + static_cast<size_t>(i0 + i);
                        float value = p.alpha * out[c];
                        if (p.beta != 0) value += p.beta * load(p.c.at(batch), p.c.type, index);
                        store(value, p.c.at(batch), p.c.type, index);
                    }
                }
            }
        }
    }
}

void gemm(const char *name, void *handle, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int aType, int lda, long long strideA,
          const void *b, int bType, int ldb, long long strideB, const void *beta, void *c, int cType, int ldc, long long strideC, int batch, int computeType) {
    Handle &h = handleOf(handle);
    if (h.context != &currentContext()) {
        report(format("%s with a handle of device %d in a context of device %d", name, h.context->device, currentContext().device));
        throw Status{INVALID_VALUE};
    }
    if (computeType != 68 && computeType != 69) throw Status{NOT_SUPPORTED}; // CUBLAS_COMPUTE_32F, and pedantic
    if (h.pointerMode != 0) throw Status{NOT_SUPPORTED};
    const bool ta = transA != 0, tb = transB != 0;
    auto bad = [&](const char *what) {
        report(format("%s: %s (m=%d n=%d k=%d lda=%d ldb=%d ldc=%d batch=%d)", name, what, m, n, k, lda, ldb, ldc, batch));
        throw Status{INVALID_VALUE};
    };
    if (m < 0 || n < 0 || k < 0 || batch < 0) bad("a negative size");
    if (lda < std::max(1, ta ? k : m)) bad("lda is too small");
    if (ldb < std::max(1, tb ? n : k)) bad("ldb is too small");
    if (ldc < std::max(1, m)) bad("ldc is too small");
    if (typeOf(aType) != typeOf(bType) || (typeOf(cType) != Type::f32 && typeOf(cType) != typeOf(aType))) throw Status{NOT_SUPPORTED};
    if (m == 0 || n == 0 || batch == 0) return;
    Product p{m, n, k, ta, tb,
              {reinterpret_cast<CUdeviceptr>(a), typeOf(aType), ta ? k : m, ta ? m : k, lda, strideA},
              {reinterpret_cast<CUdeviceptr>(b), typeOf(bType), tb ? n : k, tb ? k : n, ldb, strideB},
              {reinterpret_cast<CUdeviceptr>(c), typeOf(cType), m, n, ldc, strideC},
              *static_cast<const float *>(alpha), *static_cast<const float *>(beta), batch};
    for (const Matrix *x : {&p.a, &p.b, &p.c})
        if (x->data % sizeOf(x->type) != 0) bad("an operand is not aligned to its type");
    auto check = [=] {
        for (const Matrix *x : {&p.a, &p.b, &p.c}) requireRange(name, x->data, x->bytes(batch), h.context->device);
    };
    check();
    enqueue(streamOf(h.stream), name, [=] {
        check();
        multiply(p);
    });
}

} // namespace

extern "C" {

int cublasCreate_v2(void **handle) {
    return status("cublasCreate", [&] {
        auto h = std::make_unique<Handle>();
        h->context = &currentContext();
        *handle = h.get();
        handles()[*handle] = std::move(h);
    });
}
int cublasDestroy_v2(void *handle) {
    std::lock_guard<std::recursive_mutex> guard(lock); // after a failure too
    try {
        handleOf(handle).destroyed = true;
        return SUCCESS;
    } catch (const Status &s) {
        return s.code;
    }
}
int cublasGetVersion_v2(void *, int *version) {
    *version = 130201;
    return SUCCESS;
}
int cublasSetStream_v2(void *handle, void *stream) {
    return status("cublasSetStream", [&] {
        Handle &h = handleOf(handle);
        streamOf(stream);
        h.stream = stream;
    });
}
int cublasGetStream_v2(void *handle, void **stream) {
    return status("cublasGetStream", [&] { *stream = handleOf(handle).stream; });
}
int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) {
    return status("cublasSetWorkspace", [&] {
        Handle &h = handleOf(handle);
        if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) {
            report("cublasSetWorkspace: the workspace is not aligned to 256 bytes");
            throw Status{INVALID_VALUE};
        }
        if (bytes != 0) requireRange("cublasSetWorkspace", reinterpret_cast<uintptr_t>(workspace), bytes, h.context->device);
    });
}
int cublasSetMathMode(void *handle, int mode) {
    return status("cublasSetMathMode", [&] { handleOf(handle).mathMode = mode; });
}
int cublasGetMathMode(void *handle, int *mode) {
    return status("cublasGetMathMode", [&] { *mode = handleOf(handle).mathMode; });
}
int cublasSetPointerMode_v2(void *handle, int mode) {
    return status("cublasSetPointerMode", [&] { handleOf(handle).pointerMode = mode; });
}
int cublasSetAtomicsMode(void *handle, int) {
    return status("cublasSetAtomicsMode", [&] { handleOf(handle); });
}

int cublasGemmEx(void *handle, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int aType, int lda, const void *b, int bType,
                 int ldb, const void *beta, void *c, int cType, int ldc, int computeType, int) {
    return status("cublasGemmEx", [&] { gemm("cublasGemmEx", handle, transA, transB, m, n, k, alpha, a, aType, lda, 0, b, bType, ldb, 0, beta, c, cType, ldc, 0, 1, computeType); });
}
int cublasGemmStridedBatchedEx(void *handle, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int aType, int lda,
                               long long strideA, const void *b, int bType, int ldb, long long strideB, const void *beta, void *c, int cType, int ldc,
                               long long strideC, int batch, int computeType, int) {
    return status("cublasGemmStridedBatchedEx", [&] {
        gemm("cublasGemmStridedBatchedEx", handle, transA, transB, m, n, k, alpha, a, aType, lda, strideA, b, bType, ldb, strideB, beta, c, cType, ldc, strideC, batch, computeType);
    });
}

const char *cublasGetStatusName(int status) {
    switch (status) {
    case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "CUBLAS_STATUS_INTERNAL_ERROR";
    }
}
const char *cublasGetStatusString(int status) { return cublasGetStatusName(status); }

} // extern "C"

package org.tokenrate.gguf;

import org.tokenrate.checkpoint.DType;

/** How GGUF stores a tensor's elements, with ggml's number for it. */
public enum GgufType {
    F32(0, DType.F32),
    F16(1, DType.F16),
    BF16(30, DType.BF16);

    final int code;
    final DType stored;

    GgufType(int code, DType stored) {
        this.code = code;
        this.stored = stored;
    }

    /** f32, f16 or bf16. */
    public String label() {
        return stored.label();
    }

    /**
     * @throws IllegalArgumentException if ggml has no such type
     */
    public static GgufType of(DType type) {
        for (GgufType gguf : values()) if (gguf.stored == type) return gguf;
        throw new IllegalArgumentException(
                "GGUF tensors of " + type.label() + " are not written; use f32, f16 or bf16");
    }
}

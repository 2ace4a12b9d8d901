package org.tokenrate.checkpoint;

/** The element types of weights, activations and KV caches, and of what a checkpoint stores. */
public enum DType {
    F32(4),
    F16(2),
    BF16(2),
    /** Packed integers of quantised weights; never computed with as they are. */
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes an element takes. */
    public int bytes() {
        return bytes;
    }

    /** The name in parameters and reports: f32, f16, bf16. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}

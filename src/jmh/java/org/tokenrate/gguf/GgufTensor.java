package org.tokenrate.gguf;

/**
 * A tensor to come.
 *
 * @param shape rows first, as in the checkpoint: a projection is [out, in]
 */
public record GgufTensor(String name, GgufType type, long... shape) {
    long bytes() {
        long bytes = type.stored.bytes();
        for (long extent : shape) bytes = Math.multiplyExact(bytes, extent);
        return bytes;
    }
}

package org.tokenrate.device.cpu;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.javacpp.BytePointer;

/**
 * Vectors from memory outside the heap. The Vector API reads a {@code ByteBuffer} up to JDK 18 and
 * a {@code MemorySegment} from JDK 19 on, and no class names both: so the method is looked up,
 * once. A handle in a constant costs nothing, since the compiler inlines what it leads to.
 */
final class NativeVectors {
    private static final MethodHandle MEMORY;
    private static final MethodHandle INTS;

    static {
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        MethodHandle memory;
        MethodHandle ints;
        try {
            if (Runtime.version().feature() < 19) {
                memory = MethodHandles.identity(ByteBuffer.class);
                ints = ints(lookup, "fromByteBuffer", ByteBuffer.class, int.class);
            } else {
                Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
                memory =
                        lookup.findStatic(
                                segment, "ofBuffer", MethodType.methodType(segment, Buffer.class));
                ints = ints(lookup, "fromMemorySegment", segment, long.class);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK reads no vectors outside the heap", e);
        }
        MEMORY = memory.asType(MethodType.methodType(Object.class, ByteBuffer.class));
        INTS =
                MethodHandles.explicitCastArguments(
                        ints, MethodType.methodType(IntVector.class, Object.class, long.class));
    }

    private NativeVectors() {}

    private static MethodHandle ints(
            MethodHandles.Lookup lookup, String name, Class<?> memory, Class<?> offset)
            throws ReflectiveOperationException {
        MethodType type =
                MethodType.methodType(
                        IntVector.class, VectorSpecies.class, memory, offset, ByteOrder.class);
        MethodHandle method = lookup.findStatic(IntVector.class, name, type);
        method = MethodHandles.insertArguments(method, 0, Vectors.I);
        return MethodHandles.insertArguments(method, 2, ByteOrder.nativeOrder());
    }

    /** What {@link #ints} takes, from a pointer's position to its limit; at most 2 GiB - 1. */
    static Object memory(BytePointer pointer) {
        try {
            return (Object) MEMORY.invokeExact(pointer.asByteBuffer());
        } catch (Throwable t) {
            throw failure(t);
        }
    }

    /** {@link Vectors#I} from an offset in bytes; checked against the memory's end. */
    static IntVector ints(Object memory, long offset) {
        try {
            return (IntVector) INTS.invokeExact(memory, offset);
        } catch (Throwable t) {
            throw failure(t);
        }
    }

    private static RuntimeException failure(Throwable t) {
        if (t instanceof Error e) throw e;
        return t instanceof RuntimeException e ? e : new IllegalStateException(t);
    }
}

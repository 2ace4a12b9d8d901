package org.tokenrate.softgpu;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The tests of this class ({@code @Test}, {@code @ParameterizedTest}, {@code @RepeatedTest}) run in
 * one JVM of their own on the software GPU; here they only pass or fail as they did there. A test
 * also fails if the software GPU reports something that it did not take ({@link Report#take}), and
 * the class fails if something is left over at the end.
 *
 * <p>Static fields and field initialisers run in both JVMs: no CUDA in them.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(SoftGpuExtension.class)
public @interface OnSoftGpu {
    int devices() default 1;

    SoftGpu.Check check() default SoftGpu.Check.FULL;

    /** Bytes of each device. */
    long memory() default 1L << 30;

    /** 80 for sm_80. */
    int architecture() default 80;

    /** Which call fails, as {@link SoftGpu#fail}; empty for none. */
    String fail() default "";
}

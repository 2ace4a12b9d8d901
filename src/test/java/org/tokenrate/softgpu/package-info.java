/**
 * The software GPU: stand-ins for CUDA's libraries, built from src/test/cpp/softgpu, under which
 * the real JavaCPP presets run the real kernels in a JVM of its own.
 */
package org.tokenrate.softgpu;

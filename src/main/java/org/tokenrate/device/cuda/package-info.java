/**
 * NVIDIA's GPUs as a {@link org.tokenrate.device.Device}: the driver API, cuBLAS, NVRTC and NCCL
 * through JavaCPP's presets, and kernels of our own in CUDA C++ beside this package's resources.
 */
package org.tokenrate.device.cuda;

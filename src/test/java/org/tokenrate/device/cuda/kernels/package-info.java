/**
 * Each CUDA kernel on the software GPU, against plain Java. What launches them here is no more than
 * the tests need.
 */
package org.tokenrate.device.cuda.kernels;

/**
 * The CPU device: matrix products by oneDNN, everything else with the Vector API. One pool of
 * threads ({@link org.tokenrate.device.cpu.Team}) owns the cores: oneDNN runs single-threaded
 * inside it, each thread on its own columns of the weights, so no OpenMP worker spins against a
 * Java thread.
 */
package org.tokenrate.device.cpu;

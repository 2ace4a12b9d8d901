package org.tokenrate.device.cuda;

import org.bytedeco.cuda.cudart.CUfunc_st;

/** A kernel on a device, by its name in the source. */
record Kernel(String name, CUfunc_st function) {}

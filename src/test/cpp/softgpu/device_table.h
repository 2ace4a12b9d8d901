// As device.h declares it, for the host's side.
#pragma once
struct SoftgpuKernel {
    const char *name;
    void (*invoke)(void **arguments);
    int maxThreads;
    int count;
    const int *sizes;
};

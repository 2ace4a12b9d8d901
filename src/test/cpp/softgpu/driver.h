// The driver's handles, and what every call of its interface does first.
#pragma once
#include "softgpu.h"

namespace softgpu {

template <class T> using Table = std::unordered_map<void *, std::unique_ptr<T>>;

// Never destroyed, for threads of the program may outlive its static objects; nor is what they hold, for a handle that
// was given back must not come again as another one.
extern std::vector<std::unique_ptr<Context>> &contexts; // primary ones, by device
extern Table<Stream> &streams;
extern Table<Event> &events;
extern Table<Graph> &graphs;
extern Table<GraphExec> &execs;
extern Table<Module> &modules;
extern std::map<uintptr_t, size_t> &pinned; // bytes by address

template <class T> T &find(Table<T> &all, void *handle, const char *kind) {
    auto found = all.find(handle);
    if (found == all.end()) {
        report(format("a handle of no %s: %p", kind, handle));
        throw Refusal{CUDA_ERROR_INVALID_HANDLE};
    }
    if (found->second->destroyed) {
        report(format("use of a destroyed %s", kind));
        throw Refusal{CUDA_ERROR_INVALID_HANDLE};
    }
    return *found->second;
}

template <class T> T &add(Table<T> &all, std::unique_ptr<T> object) {
    T &reference = *object;
    all[&reference] = std::move(object);
    return reference;
}

void requireDevice(int device);
/** A call that waits may not be made while its stream is being captured. */
void forbidCapture(Stream &stream, const char *name);
void requireNoCapture(Context &context, const char *name);
/** Throws the error that the context is left with, if there is one. */
void finish(Context &context);

} // namespace softgpu

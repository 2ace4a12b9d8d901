// The software GPU's own objects. One lock guards them all; work queued on a stream is done only when something asks
// for it (demand), on the threads of launch.cpp.
#pragma once
#include "abi.h"
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

struct SoftgpuKernel; // of device.h

namespace softgpu {

/** What a call gives back instead of doing its work. */
struct Refusal {
    CUresult code;
};

enum class Check { off, fast, full };

/** From the environment, once. */
struct Settings {
    int devices = 1;
    size_t memory = size_t{1} << 30;
    int architecture = 80;
    int multiprocessors = 16;
    int threads = 2;
    Check check = Check::full;
    std::string report; // a file, or empty
    bool log = false;
};
const Settings &settings();

/** The lock of everything below. */
extern std::recursive_mutex lock;
extern std::condition_variable_any changed;

struct Context;
struct Stream;

/** A range of device memory. */
struct Allocation {
    uintptr_t begin;
    size_t bytes;
    int device;
    bool freed;
};

/** Work on a device, done after everything that it depends on. */
struct Op {
    std::string what;
    Context *context = nullptr;
    std::function<void()> work;
    std::vector<std::shared_ptr<Op>> after;
    /** Work of several streams that is done at once: what the others have to bring, or an empty function. */
    std::function<bool(std::vector<std::shared_ptr<Op>> &others)> meeting;
    bool done = false;
};
using OpRef = std::shared_ptr<Op>;

struct Graph;

struct Context {
    int device;
    int retained = 0;
    bool primary = true;
    bool destroyed = false;
    CUresult sticky = CUDA_SUCCESS;
    std::unique_ptr<Stream> legacy;
    std::vector<Stream *> streams; // blocking and other
};

/** Of a stream that is being captured: where the next node hangs. */
struct Capture {
    Graph *graph = nullptr;
    std::vector<int> leaves;
    Stream *origin = nullptr;
};

struct Stream {
    Context *context;
    bool blocking = true;
    bool destroyed = false;
    bool isLegacy = false;
    OpRef last;
    Capture capture;
};

struct Event {
    Context *context;
    bool destroyed = false;
    bool recorded = false;
    bool timed = true;
    OpRef op;
    std::shared_ptr<double> when; // seconds
    Capture captured;
};

struct Node {
    std::function<OpRef()> make; // an op of its own each time that the graph is launched
    std::vector<int> after;
};

struct Graph {
    std::vector<Node> nodes;
    std::vector<Stream *> joined;
    bool destroyed = false;
};

struct GraphExec {
    Context *context;
    std::vector<Node> nodes;
    bool destroyed = false;
};

struct SharedVariable {
    std::string name;
    std::string kernel; // whose own it is, or empty
    size_t offset, bytes;
};

struct Module {
    Context *context;
    void *handle = nullptr;
    std::string file; // what addr2line reads
    bool destroyed = false;
    std::vector<SharedVariable> shared;
    std::vector<bool> sharedBytes; // of thread-local storage: whether a variable has this byte
    size_t tlsBytes = 0, tlsModule = 0;
    std::vector<std::pair<uintptr_t, uintptr_t>> segments;
    std::map<std::string, std::unique_ptr<struct Function>> functions;
};

struct Function {
    Module *module;
    const SoftgpuKernel *kernel;
    int staticShared = 0;
    int maxDynamicShared = 0;
};

struct Launch {
    Function *function;
    unsigned grid[3], block[3];
    unsigned sharedBytes;
    std::vector<std::vector<unsigned char>> arguments;
    Context *context;
};

// report.cpp
/** Tells of a mistake in the program under test: on stderr and in the report file. */
void report(const std::string &text);
std::string format(const char *format, ...) __attribute__((format(printf, 1, 2)));
std::string lineOf(const Module &module, const void *pc);

// memory.cpp
/** While it lives, this host thread may touch device memory; any other access of the host is a segmentation fault. */
struct DeviceMemoryAccess {
    DeviceMemoryAccess();
    ~DeviceMemoryAccess();
    DeviceMemoryAccess(const DeviceMemoryAccess &) = delete;
    DeviceMemoryAccess &operator=(const DeviceMemoryAccess &) = delete;
};
CUdeviceptr allocate(int device, size_t bytes);
void release(CUdeviceptr address, int device);
size_t freeBytes(int device);
const Allocation *allocationAt(uintptr_t address); // live or freed, red zone after it included
/** Throws Refusal, after a report, unless [address, address + bytes) lies within one live allocation of the device. */
void requireRange(const char *call, uintptr_t address, size_t bytes, int device);
std::string describe(uintptr_t address);
bool inDeviceMemory(uintptr_t address);
std::vector<Allocation> liveAllocations();

// streams.cpp
Stream &streamOf(void *handle);
/** Whatever context is current; the legacy stream of `device` for none. */
Stream &anyStream(void *handle, int device);
/** Puts work at the end of a stream, or of the graph that is being captured there. */
void enqueue(Stream &stream, std::string what, std::function<void()> work);
void enqueueOp(Stream &stream, std::function<OpRef()> make);
void demand(const OpRef &op);
void demandAll(Context &context);
Context &currentContext();
/** Runs an API call under the lock, with what every call checks. */
CUresult call(const char *name, const std::function<void()> &body, bool needsContext = true);
/** Runs a call that gives something back: also on a device that failed or was lost, whose code it returns all the same. */
CUresult giveBack(const char *name, const std::function<void()> &body);
/** Counts a call of a kind that SOFTGPU_FAIL can make fail. */
bool failsNow(const char *kind);
Context &primaryContext(int device);

// module.cpp
std::unique_ptr<Module> loadModule(Context &context, const void *image);

std::string nameOf(const Function &function);
int maxThreadsOf(const Function &function);
/** Shared memory in bytes that a block of the device can have. */
int maxSharedOptIn();
/** Throws Refusal, after a report, if the device could not run it. */
void checkLimits(const Launch &launch);
void takeArguments(Launch &launch, void **arguments);

// launch.cpp
/** Runs every block; throws Refusal, after a report, when a thread did what it may not. */
void run(const Launch &launch);

} // namespace softgpu

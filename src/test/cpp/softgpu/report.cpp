#include "softgpu.h"
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace softgpu {

namespace {

long number(const char *name, long otherwise, long least, long most) {
    const char *text = getenv(name);
    if (text == nullptr || *text == 0) return otherwise;
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != 0 || value < least || value > most) {
        fprintf(stderr, "softgpu: %s=%s must be a number from %ld to %ld\n", name, text, least, most);
        exit(2);
    }
    return value;
}

Settings read() {
    Settings s;
    s.devices = static_cast<int>(number("SOFTGPU_DEVICES", 1, 0, 16));
    s.memory = static_cast<size_t>(number("SOFTGPU_MEMORY", 1L << 30, 1L << 16, 1L << 36));
    s.architecture = static_cast<int>(number("SOFTGPU_ARCH", 80, 75, 121));
    s.multiprocessors = static_cast<int>(number("SOFTGPU_MULTIPROCESSORS", 16, 1, 1024));
    long cores = static_cast<long>(std::thread::hardware_concurrency());
    s.threads = static_cast<int>(number("SOFTGPU_THREADS", cores < 1 ? 1 : cores, 1, 256));
    const char *check = getenv("SOFTGPU_CHECK");
    if (check != nullptr && *check != 0) {
        if (strcmp(check, "off") == 0) s.check = Check::off;
        else if (strcmp(check, "fast") == 0) s.check = Check::fast;
        else if (strcmp(check, "full") != 0) {
            fprintf(stderr, "softgpu: SOFTGPU_CHECK=%s must be off, fast or full\n", check);
            exit(2);
        }
    }
    const char *fail = getenv("SOFTGPU_FAIL");
    if (fail != nullptr && *fail != 0) {
        bool known = false;
        for (const char *kind : {"alloc:", "launch:", "cublas:", "nccl:", "nvrtc:", "lost:"}) known |= strncmp(fail, kind, strlen(kind)) == 0 && atol(strchr(fail, ':') + 1) > 0;
        if (!known) {
            fprintf(stderr, "softgpu: SOFTGPU_FAIL=%s must be alloc, launch, cublas, nccl, nvrtc or lost, a colon and a number from 1\n", fail);
            exit(2);
        }
    }
    if (const char *file = getenv("SOFTGPU_REPORT")) s.report = file;
    s.log = getenv("SOFTGPU_LOG") != nullptr;
    return s;
}

} // namespace

const Settings &settings() {
    static const Settings &settings = *new Settings(read()); // outlives every destructor
    return settings;
}

std::string format(const char *format, ...) {
    va_list list;
    va_start(list, format);
    char text[2048];
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return text;
}

void report(const std::string &text) {
    constexpr int most = 50;
    static std::mutex mutex;
    static int count = 0;
    std::lock_guard<std::mutex> guard(mutex);
    if (++count > most) return;
    fprintf(stderr, "softgpu: %s\n", text.c_str());
    if (settings().report.empty()) return;
    if (FILE *file = fopen(settings().report.c_str(), "a")) {
        fprintf(file, "%s\n", text.c_str());
        fclose(file);
    }
}

std::string lineOf(const Module &module, const void *pc) {
    if (module.segments.empty()) return "?";
    uintptr_t at = reinterpret_cast<uintptr_t>(pc) - module.segments.front().first - 1; // the call, not what follows it
    std::string command = format("addr2line -s -e '%s' 0x%zx 2>/dev/null", module.file.c_str(), static_cast<size_t>(at));
    std::string line;
    if (FILE *pipe = popen(command.c_str(), "r")) {
        char text[1024];
        if (fgets(text, sizeof text, pipe) != nullptr) line = text;
        pclose(pipe);
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
    size_t note = line.find(" (discriminator");
    if (note != std::string::npos) line.resize(note);
    return line.empty() ? "?" : line;
}

} // namespace softgpu

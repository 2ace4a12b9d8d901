// NVRTC, by g++: preprocess, rewrite, compile to a shared library, keep it by what it was made of.
#include "image.h"
#include "rewrite.h"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

enum { SUCCESS = 0, OUT_OF_MEMORY = 1, INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6, INTERNAL = 11 };

struct Program {
    std::string source, name, log, image;
    std::vector<std::pair<std::string, std::string>> headers;
};

/** Where this library lies, beside libcuda.so.1, device.h and the cache. */
std::string home() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void *>(&home), &info) == 0) return ".";
    std::string path = info.dli_fname;
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string readAll(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

/** Another one for each call, among threads and processes. */
std::string unique() {
    static std::atomic<int> number{0};
    return std::to_string(getpid()) + "-" + std::to_string(number++);
}

bool writeAll(const std::string &path, const std::string &text) {
    std::string temporary = path + "." + unique();
    std::ofstream(temporary, std::ios::binary) << text;
    return rename(temporary.c_str(), path.c_str()) == 0;
}

std::string hash(const std::string &text) { // FNV-1a, 2 x 64 bits
    uint64_t a = 0xcbf29ce484222325, b = 0x9ae16a3b2f90404f;
    for (unsigned char c : text) {
        a = (a ^ c) * 0x100000001b3;
        b = (b ^ c) * 0xff51afd7ed558ccd + 1;
    }
    char hex[40];
    snprintf(hex, sizeof hex, "%016llx%016llx", static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
    return hex;
}

std::string quote(const std::string &s) {
    std::string q = "'";
    for (char c : s) q += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return q + "'";
}

int execute(const std::string &command, std::string &output) {
    FILE *pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return -1;
    char text[4096];
    size_t n;
    while ((n = fread(text, 1, sizeof text, pipe)) > 0) output.append(text, n);
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *compiler() {
    const char *cxx = getenv("SOFTGPU_CXX");
    return cxx != nullptr && *cxx != 0 ? cxx : "g++";
}

const char *failWanted() {
    const char *fail = getenv("SOFTGPU_FAIL");
    return fail == nullptr ? "" : fail;
}

/** Options of NVRTC as options of g++; false for one that is neither known nor harmless. */
bool translate(const std::vector<std::string> &options, std::string &flags, int &architecture, std::string &log) {
    for (size_t i = 0; i < options.size(); i++) {
        std::string o = options[i];
        auto starts = [&](const char *prefix) { return o.rfind(prefix, 0) == 0; };
        auto value = [&]() -> std::string {
            size_t equals = o.find('=');
            if (equals != std::string::npos) return o.substr(equals + 1);
            return i + 1 < options.size() ? options[++i] : "";
        };
        if (o == "-D" || o == "-I" || o == "-U" || o == "--define-macro" || o == "--include-path" || o == "--undefine-macro" ||
            starts("--define-macro=") || starts("--include-path=") || starts("--undefine-macro=")) {
            std::string letter = o[1] == '-' ? (o[2] == 'd' ? "-D" : o[2] == 'i' ? "-I" : "-U") : o.substr(0, 2);
            std::string v = o[1] == '-' && o.find('=') != std::string::npos ? o.substr(o.find('=') + 1) : i + 1 < options.size() ? options[++i] : "";
            flags += " " + quote(letter + v);
        } else if (starts("-D") || starts("-I") || starts("-U")) {
            flags += " " + quote(o);
        } else if (starts("--gpu-architecture") || starts("-arch")) {
            std::string v = value();
            size_t underscore = v.find('_');
            architecture = underscore == std::string::npos ? 0 : atoi(v.c_str() + underscore + 1);
            if (architecture < 75) {
                log = "softgpu nvrtc: error: invalid value for --gpu-architecture (-arch): " + v + "\n";
                return false;
            }
        } else if (starts("--std=") || starts("-std=")) {
            flags += " -std=gnu++" + value().substr(3);
        } else if (starts("--maxrregcount") || starts("-maxrregcount")) {
            value();
        } else if (starts("--use_fast_math") || starts("-use_fast_math") || starts("--extra-device-vectorization") || starts("--fmad") ||
                   starts("-fmad") || starts("--ftz") || starts("--prec-") || starts("--device-debug") || o == "-G" || starts("--generate-line-info") ||
                   starts("-lineinfo") || starts("--restrict") || starts("-restrict") || starts("-default-device") || starts("--device-as-default-execution-space") ||
                   starts("--disable-warnings") || o == "-w" || starts("--diag-") || starts("--display-error-number") || starts("--no-display-error-number") ||
                   starts("--ptxas-options") || starts("-Xptxas") || starts("--dopt") || starts("--split-compile") || starts("--minimal") || starts("--no-source-include") ||
                   starts("--Werror") || starts("-Werror")) {
            if (o == "--ptxas-options" || o == "-Xptxas") value();
        } else {
            log = "softgpu nvrtc: error: unrecognized option " + o + " found\n";
            return false;
        }
    }
    return true;
}

int compile(Program &p, const std::vector<std::string> &options) {
    static std::atomic<int> calls{0};
    if (strncmp(failWanted(), "nvrtc:", 6) == 0 && ++calls == atoi(failWanted() + 6)) {
        p.log = "softgpu nvrtc: error: the failure that SOFTGPU_FAIL asks for\n";
        return COMPILATION;
    }
    std::string flags;
    int architecture = 75; // NVRTC's default
    if (!translate(options, flags, architecture, p.log)) return INVALID_OPTION;

    const char *check = getenv("SOFTGPU_CHECK");
    const bool watched = check == nullptr || strcmp(check, "off") != 0;
    // -O1 keeps a line for every access; lookups of thread-local variables are once a function anyway.
    std::string compileFlags = std::string(" -O1 -g1 -fPIC -march=native -fno-exceptions -fno-rtti -fno-gnu-unique -fvisibility=hidden -fno-strict-aliasing -fno-math-errno"
                                           " -Wno-unknown-pragmas -Wno-attributes -Wno-deprecated -Wno-psabi") +
                               (watched ? " -fsanitize=thread,alignment,bounds --param tsan-instrument-func-entry-exit=0" : "");
    std::string preprocessFlags = flags + " -D__CUDA_ARCH__=" + std::to_string(architecture * 10) + " -D__CUDACC_VER_MAJOR__=13 -D__CUDACC_VER_MINOR__=1";
    if (flags.find("-std=") == std::string::npos) preprocessFlags += " -std=gnu++17";
    std::string standard = preprocessFlags.substr(preprocessFlags.find("-std="), 12);

    const std::string directory = home();
    std::string everything = compileFlags + preprocessFlags + compiler() + readAll(directory + "/device.h") + p.name + "\n" + p.source;
    for (auto &header : p.headers) everything += "\n" + header.first + "\n" + header.second;
    const std::string base = directory + "/kernels/" + hash(everything);
    mkdir((directory + "/kernels").c_str(), 0777);
    std::string library = readAll(base + ".so");
    if (library.empty()) {
        const std::string folder = base + "." + unique() + ".d";
        mkdir(folder.c_str(), 0777);
        std::string name = p.name.substr(p.name.rfind('/') + 1);
        writeAll(folder + "/" + name, p.source);
        for (auto &header : p.headers) {
            for (size_t slash = header.first.find('/'); slash != std::string::npos; slash = header.first.find('/', slash + 1))
                mkdir((folder + "/" + header.first.substr(0, slash)).c_str(), 0777);
            writeAll(folder + "/" + header.first, header.second);
        }
        auto run = [&](const std::string &command) {
            if (getenv("SOFTGPU_LOG") != nullptr) fprintf(stderr, "softgpu: %s\n", command.c_str());
            int status = execute("cd " + quote(folder) + " && " + command, p.log);
            if (status != 0 && p.log.empty()) p.log = "softgpu nvrtc: error: " + command + " ended with " + std::to_string(status) + "\n";
            return status == 0;
        };
        bool good = run(std::string(compiler()) + " -x c++ -E" + preprocessFlags + " -I. -include " + quote(directory + "/device.h") + " " + quote(name) + " -o softgpu.ii");
        if (good) {
            writeAll(folder + "/softgpu.ii", softgpu::rewrite(readAll(folder + "/softgpu.ii")));
            good = run(std::string(compiler()) + " -x c++-cpp-output " + standard + compileFlags + " -S softgpu.ii -o softgpu.s");
        }
        if (good) {
            // Room behind each shared variable, so that an access past its end is no access to the next one.
            std::string assembly = readAll(folder + "/softgpu.s"), widened;
            bool tls = false;
            std::istringstream lines(assembly);
            for (std::string line; std::getline(lines, line);) {
                if (line.find("\t.section") == 0 || line.find("\t.text") == 0 || line.find("\t.data") == 0 || line.find("\t.bss") == 0) tls = line.find(".tbss") != std::string::npos;
                widened += line + "\n";
                if (tls && line.find("\t.zero\t") == 0) widened += "\t.zero\t64\n";
            }
            writeAll(folder + "/softgpu.s", widened);
            good = run(std::string(compiler()) + " -shared -Wl,-Bsymbolic -o softgpu.so softgpu.s " + quote(directory + "/libcuda.so.1") + " -lm");
        }
        if (good) {
            library = readAll(folder + "/softgpu.so");
            good = writeAll(base + ".so", library);
        }
        std::string ignored;
        if (getenv("SOFTGPU_KEEP") == nullptr) execute("rm -rf " + quote(folder), ignored);
        if (!good) return COMPILATION;
    }
    softgpu::ImageHeader header{};
    memcpy(header.magic, softgpu::imageMagic, sizeof header.magic);
    header.abi = softgpu::imageAbi;
    header.architecture = architecture;
    header.bytes = library.size();
    p.image.assign(reinterpret_cast<char *>(&header), sizeof header);
    p.image += library;
    return SUCCESS;
}

} // namespace

extern "C" {

int nvrtcVersion(int *major, int *minor) {
    *major = 13;
    *minor = 1;
    return SUCCESS;
}

const char *nvrtcGetErrorString(int result) {
    switch (result) {
    case SUCCESS: return "NVRTC_SUCCESS";
    case OUT_OF_MEMORY: return "NVRTC_ERROR_OUT_OF_MEMORY";
    case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case COMPILATION: return "NVRTC_ERROR_COMPILATION";
    case INTERNAL: return "NVRTC_ERROR_INTERNAL_ERROR";
    default: return "NVRTC_ERROR unknown";
    }
}

int nvrtcGetNumSupportedArchs(int *count) {
    *count = 7;
    return SUCCESS;
}

int nvrtcGetSupportedArchs(int *architectures) {
    const int all[] = {75, 80, 86, 89, 90, 100, 120};
    memcpy(architectures, all, sizeof all);
    return SUCCESS;
}

int nvrtcCreateProgram(void **program, const char *source, const char *name, int headers, const char *const *contents, const char *const *names) {
    if (program == nullptr || source == nullptr || headers < 0) return INVALID_INPUT;
    auto *p = new Program;
    p->source = source;
    p->name = name == nullptr ? "default_program" : name;
    for (int i = 0; i < headers; i++) p->headers.emplace_back(names[i], contents[i]);
    *program = p;
    return SUCCESS;
}

int nvrtcDestroyProgram(void **program) {
    if (program == nullptr || *program == nullptr) return INVALID_PROGRAM;
    delete static_cast<Program *>(*program);
    *program = nullptr;
    return SUCCESS;
}

int nvrtcCompileProgram(void *program, int count, const char *const *options) {
    if (program == nullptr) return INVALID_PROGRAM;
    auto &p = *static_cast<Program *>(program);
    p.log.clear();
    return compile(p, std::vector<std::string>(options, options + count));
}

static int copy(const std::string &from, char *to) {
    if (from.empty()) return INVALID_PROGRAM;
    memcpy(to, from.data(), from.size());
    return SUCCESS;
}

int nvrtcGetCUBINSize(void *program, size_t *bytes) {
    *bytes = static_cast<Program *>(program)->image.size();
    return SUCCESS;
}
int nvrtcGetCUBIN(void *program, char *to) { return copy(static_cast<Program *>(program)->image, to); }
int nvrtcGetPTXSize(void *program, size_t *bytes) { return nvrtcGetCUBINSize(program, bytes); }
int nvrtcGetPTX(void *program, char *to) { return nvrtcGetCUBIN(program, to); }

int nvrtcGetProgramLogSize(void *program, size_t *bytes) {
    *bytes = static_cast<Program *>(program)->log.size() + 1;
    return SUCCESS;
}
int nvrtcGetProgramLog(void *program, char *to) {
    const std::string &log = static_cast<Program *>(program)->log;
    memcpy(to, log.c_str(), log.size() + 1);
    return SUCCESS;
}

} // extern "C"

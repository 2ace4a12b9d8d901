// A module: a shared library, carried whole in the image that the NVRTC stand-in gives for a cubin.
#include "device_table.h"
#include "image.h"
#include "softgpu.h"
#include <algorithm>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace softgpu {

namespace {

/** "scale(float*)::tile" for _ZZ5scalePfE4tile; the name itself where it is no mangled one. */
std::string readable(const char *name) {
    int status = 0;
    char *text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
    std::string result = status == 0 ? text : name;
    free(text);
    return result;
}

/** Shared memory by name, from the symbols of thread-local variables. */
void readShared(const char *elf, size_t bytes, Module &module) {
    auto *header = reinterpret_cast<const Elf64_Ehdr *>(elf);
    auto *sections = reinterpret_cast<const Elf64_Shdr *>(elf + header->e_shoff);
    auto *segments = reinterpret_cast<const Elf64_Phdr *>(elf + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_TLS) module.tlsBytes = segments[i].p_memsz;
    for (int i = 0; i < header->e_shnum; i++) {
        const Elf64_Shdr &table = sections[i];
        if (table.sh_type != SHT_SYMTAB || table.sh_offset + table.sh_size > bytes) continue;
        auto *symbols = reinterpret_cast<const Elf64_Sym *>(elf + table.sh_offset);
        const char *names = elf + sections[table.sh_link].sh_offset;
        for (size_t s = 0; s < table.sh_size / sizeof(Elf64_Sym); s++) {
            if (ELF64_ST_TYPE(symbols[s].st_info) != STT_TLS || symbols[s].st_size == 0) continue;
            std::string name = readable(names + symbols[s].st_name);
            size_t colons = name.rfind("::");
            std::string scope = colons == std::string::npos ? "" : name.substr(0, colons);
            module.shared.push_back({name, scope, symbols[s].st_value, symbols[s].st_size});
        }
    }
}

int collectSegments(dl_phdr_info *info, size_t, void *data) {
    auto *module = static_cast<Module *>(data);
    if (module->file != info->dlpi_name) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const auto &segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
        module->segments.push_back({begin, begin + segment.p_memsz});
    }
    return 1;
}

} // namespace

std::string nameOf(const Function &function) { return function.kernel->name; }

int maxSharedOptIn() {
    switch (settings().architecture) {
    case 75: return 65536;
    case 86: case 89: case 120: case 121: return 101376;
    case 80: case 87: return 166912;
    default: return 232448;
    }
}

int maxThreadsOf(const Function &function) { return function.kernel->maxThreads > 0 ? function.kernel->maxThreads : 1024; }

std::unique_ptr<Module> loadModule(Context &context, const void *image) {
    auto *header = static_cast<const ImageHeader *>(image);
    if (memcmp(header->magic, imageMagic, sizeof header->magic) != 0) throw Refusal{CUDA_ERROR_INVALID_IMAGE};
    // A cubin runs on devices of its major version, from its minor version on.
    const int device = settings().architecture;
    if (header->abi != imageAbi || header->architecture / 10 != device / 10 || header->architecture > device) throw Refusal{CUDA_ERROR_NO_BINARY_FOR_GPU};
    const char *elf = reinterpret_cast<const char *>(header + 1);
    auto module = std::make_unique<Module>();
    module->context = &context;
    // A file of its own for each load: the loader gives the same library for the same file.
    int fd = memfd_create("softgpu-module", 0);
    if (fd < 0 || write(fd, elf, header->bytes) != static_cast<ssize_t>(header->bytes)) throw Refusal{CUDA_ERROR_OUT_OF_MEMORY};
    module->file = format("/proc/%d/fd/%d", static_cast<int>(getpid()), fd);
    module->handle = dlopen(module->file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module->handle == nullptr) {
        report(std::string("cuModuleLoadData: ") + dlerror());
        throw Refusal{CUDA_ERROR_INVALID_IMAGE};
    }
    readShared(elf, header->bytes, *module);
    module->sharedBytes.assign(module->tlsBytes + 16, false);
    for (const SharedVariable &v : module->shared)
        std::fill_n(module->sharedBytes.begin() + static_cast<long>(v.offset), v.bytes, true);
    dl_iterate_phdr(collectSegments, module.get());
    if (module->tlsBytes > 0) dlinfo(module->handle, RTLD_DI_TLS_MODID, &module->tlsModule);
    auto *table = static_cast<const SoftgpuKernel *>(dlsym(module->handle, "softgpu_kernels"));
    if (table == nullptr) throw Refusal{CUDA_ERROR_INVALID_IMAGE};
    for (; table->name != nullptr; table++) {
        auto function = std::make_unique<Function>();
        function->module = module.get();
        function->kernel = table;
        for (const SharedVariable &variable : module->shared) {
            bool ofAnother = false;
            for (auto *other = static_cast<const SoftgpuKernel *>(dlsym(module->handle, "softgpu_kernels")); other->name != nullptr; other++)
                ofAnother |= other != table && variable.kernel == other->name;
            if (!ofAnother) function->staticShared += static_cast<int>((variable.bytes + 15) / 16 * 16);
        }
        function->maxDynamicShared = std::max(0, 49152 - function->staticShared);
        module->functions[table->name] = std::move(function);
    }
    return module;
}

void checkLimits(const Launch &l) {
    const Function &f = *l.function;
    auto refuse = [&](const std::string &why, CUresult code) {
        report("launch of " + nameOf(f) + ": " + why);
        throw Refusal{code};
    };
    const unsigned long long threads = 1ull * l.block[0] * l.block[1] * l.block[2];
    const unsigned long long mostGrid[3] = {2147483647, 65535, 65535}, mostBlock[3] = {1024, 1024, 64};
    for (int i = 0; i < 3; i++) {
        if (l.grid[i] == 0 || l.grid[i] > mostGrid[i]) refuse(format("a grid of (%u,%u,%u) blocks; 1 to (2147483647,65535,65535) are possible", l.grid[0], l.grid[1], l.grid[2]), CUDA_ERROR_INVALID_VALUE);
        if (l.block[i] == 0 || l.block[i] > mostBlock[i]) refuse(format("a block of (%u,%u,%u) threads; 1 to (1024,1024,64) are possible", l.block[0], l.block[1], l.block[2]), CUDA_ERROR_INVALID_VALUE);
    }
    if (threads > 1024) refuse(format("a block of %llu threads; 1024 at most", threads), CUDA_ERROR_INVALID_VALUE);
    if (threads > static_cast<unsigned long long>(maxThreadsOf(f))) refuse(format("a block of %llu threads; its __launch_bounds__ allow %d", threads, maxThreadsOf(f)), CUDA_ERROR_INVALID_VALUE);
    if (l.sharedBytes > static_cast<unsigned>(f.maxDynamicShared)) {
        refuse(format("%u bytes of dynamic shared memory beside %d static ones; %d at most, unless cuFuncSetAttribute asks for more (up to %d)",
                      l.sharedBytes, f.staticShared, f.maxDynamicShared, maxSharedOptIn() - f.staticShared), CUDA_ERROR_INVALID_VALUE);
    }
    if (f.staticShared > 49152) refuse(format("%d bytes of static shared memory; 49152 at most", f.staticShared), CUDA_ERROR_INVALID_VALUE);
}

void takeArguments(Launch &launch, void **arguments) {
    const SoftgpuKernel &kernel = *launch.function->kernel;
    for (int i = 0; i < kernel.count; i++) {
        if (arguments == nullptr || arguments[i] == nullptr) {
            report(format("launch of %s: argument %d of %d is missing", kernel.name, i + 1, kernel.count));
            throw Refusal{CUDA_ERROR_INVALID_VALUE};
        }
        auto *bytes = static_cast<unsigned char *>(arguments[i]);
        launch.arguments.emplace_back(bytes, bytes + kernel.sizes[i]);
    }
}

} // namespace softgpu

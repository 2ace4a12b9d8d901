// From preprocessed CUDA to C++ that g++ compiles.
#pragma once
#include <string>

namespace softgpu {

/** `source` with __global__, __launch_bounds__ and extern __shared__ made C++, and a table of its kernels at the end. */
std::string rewrite(const std::string &source);

} // namespace softgpu

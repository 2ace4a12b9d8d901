#!/bin/sh
# build.sh SOURCES OUT: the stand-ins for CUDA's libraries, under the names that the JavaCPP presets ask for.
set -eu
sources=$1
out=$2
cxx=${SOFTGPU_CXX:-g++}
flags="-std=c++17 -O2 -g1 -fPIC -Wall -Wextra -Werror -fvisibility=hidden -ffunction-sections"
mkdir -p "$out"

versioned() { # SONAME SOURCE...: a library whose symbols carry its name as their version, as CUDA's do
    name=$1
    shift
    echo "$name { global: *; };" >"$out/$name.map"
    $cxx $flags -march=native -O3 -fvisibility=default -shared -Wl,-soname,"$name" -Wl,--version-script="$out/$name.map" -o "$out/$name" "$@"
    rm "$out/$name.map"
}

for source in copies driver errors fibre hooks kernels launch memory module queues report streams; do
    $cxx $flags -fvisibility=default -c "$sources/$source.cpp" -o "$out/$source.o"
done
$cxx -shared -Wl,-soname,libcuda.so.1 -o "$out/libcuda.so.1" "$out"/*.o -pthread -ldl
rm "$out"/*.o
versioned libnvrtc.so.13 "$sources/nvrtc.cpp" "$sources/rewrite.cpp" -ldl
versioned libcudart.so.13 "$sources/empty.cpp"
versioned libcublasLt.so.13 "$sources/empty.cpp"
versioned libcublas.so.13 "$sources/cublas.cpp" "$out/libcuda.so.1"
$cxx $flags -fvisibility=default -shared -Wl,-soname,libnccl.so.2 -o "$out/libnccl.so.2" "$sources/nccl.cpp" "$out/libcuda.so.1"
cp "$sources/device.h" "$out/"

#!/bin/sh
# Builds clients/c by itself and installs it, looks at what the library needs and exports, and builds the header test against what was
# installed, as strict C11 and as C++17, by pkg-config and by CMake.
# usage: build_alone.sh SOURCE-ROOT WORK-FOLDER
set -eu
root=$1
work=$2
rm -rf "$work"
mkdir -p "$work/user"

cmake -S "$root/clients/c" -B "$work/build" -G Ninja -DCMAKE_INSTALL_PREFIX="$work/prefix" -DCMAKE_INSTALL_LIBDIR=lib >"$work/log" 2>&1 &&
    cmake --build "$work/build" -j2 >>"$work/log" 2>&1 && cmake --install "$work/build" >>"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
library=$work/prefix/lib/libguika-client.so

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev '^(libnng|libsodium|libc)\.so' || true)
[ -z "$needed" ] || { echo "libguika-client.so needs more than NNG and libsodium: $needed"; exit 1; }
# The symbols' versions are there as well: a program that was linked before runs on.
exported=$(nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | grep -v '^guika_box_' || true)
for symbol in open@@GUIKA_0.1 confirm_collected@@GUIKA_0.1 open_door@@GUIKA_0.2 update_grants@@GUIKA_0.2; do
    nm -D --defined-only "$library" | grep -q " guika_box_$symbol\$" || { echo "libguika-client.so has no guika_box_$symbol"; exit 1; }
done
[ -z "$exported" ] || { echo "libguika-client.so exports more than guika_box_*: $exported"; exit 1; }

test_source=$root/tests/clients/c/header_test.c
flags=$(PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" pkg-config --cflags --libs guika-client)
# $flags is a list of words.
# shellcheck disable=SC2086
cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$test_source" $flags -Wl,-rpath,"$work/prefix/lib" -o "$work/c11"
# shellcheck disable=SC2086
c++ -std=c++17 -x c++ -Wall -Wextra -Wpedantic -Werror "$test_source" -x none $flags -Wl,-rpath,"$work/prefix/lib" -o "$work/cxx17"
"$work/c11"
"$work/cxx17"

cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(guika-client 0.1 CONFIG REQUIRED)
add_executable(user ${TEST_SOURCE})
target_link_libraries(user guika::client)
END
cmake -S "$work/user" -B "$work/user/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DTEST_SOURCE="$test_source" >>"$work/log" 2>&1 &&
    cmake --build "$work/user/build" >>"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
"$work/user/build/user"
echo "libguika-client.so builds alone; it needs: $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')"

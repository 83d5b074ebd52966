#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C++ library that a C program opens at run time: its runtime is not in the global scope,
# where the allocator's operators look first, yet a failing new must throw bad_alloc there.
. "$(dirname "$0")/../support/tap.sh"
CXX=${CXX:-c++}
tap_need "${CC:-cc}" "$CXX"

cat >"$tmp/plugin.cc" <<'CC'
#include <new>
extern "C" int plugin(unsigned long size)
{
	char *volatile p;
	try {
		p = new char[size];
	} catch (const std::bad_alloc &) {
		return new (std::nothrow) char[size] ? 3 : 1;
	}
	delete[] p;
	return 0;
}
static int calls;
static void handler()
{
	if (++calls == 2) {
		std::set_new_handler(nullptr);
	}
}
extern "C" int plugin_handler(unsigned long size)
{
	std::set_new_handler(handler);
	return plugin(size) == 1 ? calls : -1;
}
CC
cat >"$tmp/main.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	int (*plugin)(unsigned long) = handle ? (int (*)(unsigned long))dlsym(handle, "plugin") : NULL;
	int (*with_handler)(unsigned long) = handle ? (int (*)(unsigned long))dlsym(handle, "plugin_handler") : NULL;
	if (!plugin || !with_handler) {
		puts(dlerror());
		return 1;
	}
	printf("%d", plugin(1000));
	printf(" %d", plugin(1ul << 60));
	printf(" %d", with_handler(1ul << 60));
	printf(" %d\n", plugin(1000));
	return dlclose(handle);
}
C
tap_ok "the plug-in builds" "$CXX" -O1 -fPIC -shared -o "$tmp/plugin.so" "$tmp/plugin.cc"
tap_ok "the program builds" "${CC:-cc}" -w -o "$tmp/main" "$tmp/main.c" -ldl
tap_is "$("$tmp/main" "$tmp/plugin.so" 2>&1)" "0 1 2 0" "without the allocator"
tap_is "$(LD_PRELOAD="$lib" "$tmp/main" "$tmp/plugin.so" 2>&1)" "0 1 2 0" "with the allocator"

tap_ok "a plug-in with the runtime inside builds" "$CXX" -O1 -fPIC -shared -static-libstdc++ -static-libgcc \
	-o "$tmp/static.so" "$tmp/plugin.cc"
tap_is "$(LD_PRELOAD="$lib" "$tmp/main" "$tmp/static.so" 2>&1)" "$("$tmp/main" "$tmp/static.so" 2>&1)" \
	"a runtime linked into the plug-in"
tap_done

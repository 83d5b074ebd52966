#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each header compiles alone, the installed ones with a C++ compiler as well.
. "$(dirname "$0")/../support/tap.sh"
cd "$top" || exit 1
cc=${CC:-gcc}
flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -x c)

# alone FLAGS... FILE
alone() {
	printf '#include "%s"\n' "${*: -1}" | "$cc" "${flags[@]}" "${@:1:$#-1}" -
}

for header in lib/include/*.h; do
	tap_ok "$header" alone -Ilib/include "$header"
done
for header in lib/*.h; do
	tap_ok "$header" alone -Ilib -Ilib/include "$header"
done
read -ra tracer_flags < <(pkg-config --cflags lttng-ust libunwind)
for header in tracer/*.h; do
	tap_ok "$header" alone -Itracer -Ilib/include "${tracer_flags[@]}" "$header"
done
read -ra hakstat_flags < <(pkg-config --cflags babeltrace2 lttng-ctl libdw libelf smartcols jansson glib-2.0)
for header in tools/hakstat/*.h; do
	tap_ok "$header" alone -Itools/hakstat -Ilib/include "${hakstat_flags[@]}" "$header"
done
while read -r header; do
	tap_ok "$header in C++" g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -Ilib/include -x c++ -include "$header" /dev/null
done < <(grep -l 'extern "C"' lib/include/*.h)
tap_done

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may include what: the layers of the project, read from the #include lines.
. "$(dirname "$0")/../support/tap.sh"
cd "$top" || exit 1

# includes FILES...: one "file header" a line; system headers keep their angle brackets.
includes() {
	sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*("([^"]*)"|(<[^>]*>)).*/\2\3/p;' "$1" | sed "s|^|$1 |"
}

all_includes() {
	local file
	for file in "$@"; do
		[ -f "$file" ] && includes "$file"
	done
}

# outside PATTERN FILES...: what the files include and the pattern does not allow.
outside() {
	local pattern=$1
	shift
	all_includes "$@" | awk -v allowed="^($pattern)\$" '$2 !~ allowed'
}

# names FOLDER...: their headers as an alternation.
names() {
	local folder
	for folder in "$@"; do
		(cd "$folder" && printf '%s\n' *.h)
	done | sed 's/[.]/[.]/g' | paste -sd '|'
}

# reaches PATTERN KEEP FOLDER...: files of the folders that include it, but for those kept.
reaches() {
	local pattern=$1 keep=$2
	shift 2
	grep -rlE "#[[:space:]]*include[[:space:]]*[<\"]($pattern)" --include='*.[ch]' --include='*.cc' "$@" | grep -vE "^($keep)$"
}

libc='<(alloca|assert|ctype|dlfcn|elf|errno|fcntl|inttypes|limits|link|malloc|poll|pthread|sched|semaphore|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdlib|stdnoreturn|string|time|ucontext|unistd|(sys|linux|asm)/[a-z0-9_]+)[.]h>'
public=$(names lib/include)

tap_empty "$(outside "$libc|$(names lib)|$public|<stdio[.]h>" lib/*.[ch] lib/include/*.h)" \
	"lib includes libc and itself only"
tap_empty "$(reaches stdio.h lib/preload.c lib)" \
	"in lib, stdio is seen where malloc_info's FILE is and nowhere else"
tap_empty "$(outside "$libc|$public" lib/include/*.h)" "installed headers include installed headers and libc only"
tap_empty "$(outside "$libc|<(dirent|stdio)[.]h>|$(names tracer)|$public|<lttng/.*>|<libunwind[.]h>|<urcu/.*>" tracer/*.[ch])" \
	"tracer includes the installed headers, LTTng-UST, libunwind and itself only"
tap_empty "$(all_includes tools/hakstat/*.[ch] | grep -v '<' | awk '{print $1, $2}' | while read -r file header; do
	[[ $header != */* && -f tools/hakstat/$header ]] || printf '%s %s\n' "$file" "$header"
done | grep -vE ' (hakmem|hakmem_size_class|hakmem_route_list|hakmem_ops_word|hakmem_life)[.]h$')" \
	"hakstat includes of lib only the size classes, the routes, the packed record, the life of a process and the version"

tap_empty "$(reaches 'lttng/(ust|tracepoint|urcu)' 'tracer/[a-z_]+[.][ch]' lib tools tracer tests)" \
	"LTTng-UST is seen in tracer/ only"
tap_empty "$(reaches 'lttng/' 'tracer/[a-z_]+[.][ch]|tools/hakstat/[a-z_]+[.][ch]' lib tools tracer tests)" \
	"the LTTng libraries are seen in tracer/ and tools/hakstat/ only"
tap_empty "$(reaches 'babeltrace2' 'tools/hakstat/ctf_(source[.]c|(decoder|live)[.][ch])' lib tools tracer tests)" \
	"babeltrace2 is seen in ctf_source.c, ctf_decoder.c and ctf_live.c only"
tap_empty "$(reaches 'elfutils/|libdw|dwarf|libelf|gelf' 'tools/hakstat/symbol[a-z_]*[.][ch]|tests/unit/test_symbol.*' lib tools tracer tests)" \
	"elfutils is seen in the symbol files only"
tap_empty "$(reaches 'libsmartcols' 'tools/hakstat/grid[.]c' lib tools tracer tests)" \
	"libsmartcols is seen where tables are drawn only"
tap_empty "$(grep -nE '\bgetenv[[:space:]]*\(|\benviron\b' lib/*.[ch] tracer/*.[ch] | grep -v '^lib/options[.]c:' | grep -vE ':[[:space:]]*(/?[*])')" \
	"the environment is read in lib/options.c only"
tap_empty "$(all_includes tests/{integration,e2e,bench}/*.{c,h,cc} tests/*/programs/*.cc | grep -v '<' | while read -r file header; do
	[[ $header != ../* && (-f $(dirname "$file")/$header || -f lib/include/$header) ]] || printf '%s %s\n' "$file" "$header"
done)" "programs of integration, e2e and bench include no internals"

# The order inside lib: lib/README.md lists the layers bottom to top, one line a layer,
# "N. `name` `name`: what". A header may include headers of its own line and lines below.
layer_breaks() {
	awk '
	FNR == NR {
		if (match($0, /^[0-9]+[.] /)) {
			level = $0 + 0
			line = $0
			sub(/[:].*/, "", line)
			while (match(line, /`[a-z_]+`/)) {
				layer[substr(line, RSTART + 1, RLENGTH - 2)] = level
				line = substr(line, RSTART + RLENGTH)
			}
		}
		next
	}
	{
		file = $1; sub(/^lib\//, "", file); sub(/[.][ch]$/, "", file)
		header = $2; sub(/[.]h$/, "", header)
		if (!(file in layer)) { print $1 ": not in the list of layers"; next }
		if (header in layer && layer[header] > layer[file]) print $1 " (layer " layer[file] ") includes " $2 " (layer " layer[header] ")"
	}' lib/README.md <(all_includes lib/*.[ch] | grep -v '<') | sort -u
}
tap_ok "lib/README.md lists the layers" grep -qE '^1[.] .*`compiler`' lib/README.md
tap_empty "$(layer_breaks 2>&1)" "lib includes downwards only, in the order of lib/README.md"

allowed='lib|tracer|tools|tests|docs|Makefile|README[.]md|LICENSE.*|CHANGELOG[.]md|CONTRIBUTING[.]md|[.].*|build.*|hakmem[.]trace.*'
tap_empty "$(printf '%s\n' * | grep -vxE "$allowed")" "the top level holds what is agreed and nothing else"
tap_empty "$(cd tools && printf '%s\n' * | grep -vx hakstat)" "tools/ holds hakstat only"
tap_empty "$(grep -rLE 'SPDX-License-Identifier: MIT' --include='*.[ch]' --include='*.cc' --include='*.sh' --include='*.t' --include='*.mk' --include=Makefile \
	lib tracer tools tests Makefile)" "every source names its licence"
tap_done

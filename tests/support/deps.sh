#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what building and testing need and the machine lacks: by apt-get on Debian and
# Ubuntu, else it lists what is missing and stops. Does nothing, quickly, when all is there.
set -eu

# package [what else satisfies it: a command, or a file pattern with a slash]
packages() {
	cat <<-'LIST'
	gcc gcc
	g++ g++
	make make
	binutils objdump
	pkg-config pkg-config
	libc6-dev
	liblttng-ust-dev
	liblttng-ctl-dev
	lttng-tools lttng-sessiond
	libunwind-dev
	libbabeltrace2-dev
	babeltrace2 babeltrace2
	libdw-dev
	libelf-dev
	libsmartcols-dev
	libncurses-dev
	libjansson-dev
	libglib2.0-dev
	libiberty-dev
	node-d3 /usr/share/nodejs/d3/dist/d3.min.js
	libcmocka-dev
	perl prove
	python3 python3
	clang clang
	clang-format clang-format
	clang-tidy clang-tidy
	cppcheck cppcheck
	universal-ctags ctags
	shellcheck shellcheck
	mandoc mandoc
	libxml2-utils xmllint
	python3-jsonschema
	python3-prometheus-client
	tmux tmux
	chromium chromium
	chromium-driver chromedriver
	python3-selenium
	git git
	gdb gdb
	strace strace
	valgrind valgrind
	procps ps
	util-linux flock
	redis-server redis-server
	redis-tools redis-benchmark
	sqlite3 sqlite3
	lua5.4 lua5.4
	nodejs node
	cargo cargo
	rustc rustc
	LIST
	# The test suite's package carries the version of the distribution's python3.
	echo "${python_suite:-libpython3-testsuite} /usr/lib/python3.*/test/test_dict.py"
}

satisfied() { # ALTERNATIVE
	# shellcheck disable=SC2086 # $1 may be a pattern
	case $1 in
	'') return 1 ;;
	*/*) ls $1 >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# Prints the packages that are neither installed nor satisfied otherwise.
missing() {
	packages | while read -r package alternative; do
		if ! satisfied "$alternative"; then
			echo "$package"
		fi
	done | if command -v dpkg-query >/dev/null 2>&1; then
		xargs -r sh -c '
			installed=$(dpkg-query -W -f "\${db:Status-Status} \${Package}\n" "$@" 2>/dev/null || true)
			for package; do
				case "
$installed
" in
				*"
installed $package
"*) ;;
				*) echo "$package" ;;
				esac
			done' sh
	else
		cat
	fi
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Packages with services start them when installed. Nobody asked for a redis on this
# machine, so the usual switch says no while we install, unless the machine has its own.
install_quietly() {
	as_root sh -c '
		policy=/usr/sbin/policy-rc.d
		if [ ! -e "$policy" ]; then
			trap "rm -f $policy" EXIT INT TERM
			printf "#!/bin/sh\nexit 101\n" >"$policy"
			chmod 755 "$policy"
		fi
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null' \
		sh "$@" >&2
}

known() { # every package of the list has a candidate
	for package; do
		apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
	done
}

name_python_suite() {
	version=$(apt-cache depends python3 2>/dev/null | sed -n 's/.*Depends: python\(3\.[0-9]*\)$/\1/p' | head -n 1)
	python_suite=libpython${version:-3}-testsuite
}

lacking=$(missing)
if [ -z "$lacking" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	# shellcheck disable=SC2086 # a list of words
	echo "deps: missing here (Debian's package names), install them first:" $lacking >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
	# shellcheck disable=SC2086
	echo "deps: no sudo here; as root: apt-get install --no-install-recommends" $lacking >&2
	exit 1
fi
name_python_suite
lacking=$(missing)
# shellcheck disable=SC2086
if ! known $lacking; then
	as_root apt-get update -qq >&2
	name_python_suite
	lacking=$(missing)
fi
# shellcheck disable=SC2086
echo "deps: installing" $lacking >&2
# shellcheck disable=SC2086
install_quietly $lacking
lacking=$(missing)
if [ -n "$lacking" ]; then
	# shellcheck disable=SC2086
	echo "deps: still missing after the installation:" $lacking >&2
	exit 1
fi

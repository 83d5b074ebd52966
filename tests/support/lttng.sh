# SPDX-License-Identifier: MIT
# For tests that record. Source it before tap.sh: as root, where that is allowed, the test
# starts anew in a mount namespace with session daemons of its own, so that other traced
# programs of this machine are not in its recordings. Elsewhere it shares the user's daemon.
# shellcheck shell=bash disable=SC2154

if [ "$(id -u)" -eq 0 ] && [ -z "${HAK_TEST_ALONE-}" ] && unshare -m true 2>/dev/null; then
	HAK_TEST_ALONE=1 exec unshare -m bash "$0" "$@"
fi

# need_lttng: call it after tap.sh. Skips the test where nothing can be recorded.
need_lttng() {
	tap_need lttng lttng-sessiond
	[ -x "$hakstat" ] || tap_skip_all "hakstat is not built"
	if [ -n "${HAK_TEST_ALONE-}" ]; then
		mkdir -p /var/run/lttng
		mount -t tmpfs -o mode=755 tmpfs /var/run/lttng || tap_note "the session daemon is shared"
	fi
	# The distribution's interpreter: a wrapper script in PATH would be traced as well.
	python=/usr/bin/python3
	[ -x "$python" ] || python=$(command -v python3)
	export python
}

# need_no_daemon: no session daemon runs at first, and none that the test starts is seen elsewhere.
need_no_daemon() {
	if [ "$(id -u)" -eq 0 ]; then
		lttng_folder=/var/run/lttng # LTTng's folder for root, whatever its home
	else
		export LTTNG_HOME=$tmp/home
		lttng_folder=$LTTNG_HOME/.lttng
		mkdir "$LTTNG_HOME"
	fi
	! lttng list >/dev/null 2>&1 || tap_skip_all "the system's session daemon is in the way"
}

# daemon_pid: of the session daemon that runs after need_no_daemon; nothing when none does.
daemon_pid() {
	local pid
	pid=$(cat "$lttng_folder/lttng-sessiond.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && printf '%s' "$pid"
}

# await_end PID: until that process has ended.
await_end() {
	[ -z "$1" ] || timeout 60 tail --pid="$1" -f /dev/null
}

# recorded MODE NAME COMMAND...: $json is the report of a recording, $tmp/out what the command printed.
recorded() {
	local mode=$1 name=$2
	json=$tmp/$name.json
	"$hakstat" record --mode "$mode" -o "$tmp/$name" -- "${@:3}" >"$tmp/out" 2>"$tmp/log"
	"$hakstat" report --top 100000 --format json -o "$json" "$tmp/$name" >>"$tmp/log" 2>&1
	tap_result $? "$name: recorded and reported" || tap_note "$(cat "$tmp/log")"
}

# ask EXPRESSION: evaluated over the report `r`.
ask() {
	"$python" -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$json" "$1"
}

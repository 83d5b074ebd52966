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

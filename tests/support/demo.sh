#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make demo`: records a program that is not ours, prints what its requests waste, then shows
# the case this tool was made for. Leaves nothing behind.
# usage: demo.sh, with HAKMEM_BUILD set
set -eu
build=$HAKMEM_BUILD
export -n HAKMEM_BUILD # the library reports HAKMEM_ names that it does not know
hakstat=$build/tools/hakstat/hakstat
work=$(mktemp -d "${TMPDIR:-/tmp}/hakmem-demo.XXXXXX")
recorder=
leave() {
	[ -z "$recorder" ] || kill "$recorder" 2>/dev/null || true
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"

say() {
	printf '\n== %s\n\n' "$*"
}

# Debian's interpreter: a wrapper script in PATH would be recorded as well.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

record_redis() {
	say 'redis-server under redis-benchmark: hakstat record --mode full -- redis-server'
	"$hakstat" record --mode full -o program.trace -- redis-server --port 0 --unixsocket "$work/redis.sock" \
		--dir "$work" --save '' --appendonly no --loglevel warning >redis.log &
	recorder=$!
	until redis-cli -s redis.sock ping >/dev/null 2>&1; do
		kill -0 "$recorder" 2>/dev/null || break
		sleep 0.1
	done
	if kill -0 "$recorder" 2>/dev/null; then
		redis-benchmark -s redis.sock -q -n 20000 -r 20000 -d 400 -t set,get,lpush,hset,zadd,lrange_100 </dev/null | tr '\r' '\n' | grep requests
		redis-cli -s redis.sock shutdown nosave
	fi
	wait "$recorder"
	recorder=
}

record_sqlite() {
	say 'sqlite3: hakstat record --mode full -- sqlite3'
	"$hakstat" record --mode full -o program.trace -- sqlite3 :memory: '
		CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
		INSERT INTO t SELECT i, printf("row-%d", i), zeroblob(i % 500) FROM n;
		CREATE INDEX tb ON t (b);
		SELECT count(*), sum(length(c)) FROM t WHERE b GLOB "row-*7*";'
}

record_python() {
	say 'python3: hakstat record --mode full -- python3'
	PYTHONMALLOC=malloc "$hakstat" record --mode full -o program.trace -- "$python" -c '
import collections, json
rows = [{"id": i, "name": "n%d" % i, "list": list(range(i % 20))} for i in range(20000)]
print(len(json.loads(json.dumps(rows))), len(collections.Counter(r["name"][-2:] for r in rows)))'
}

if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	record_redis
elif command -v sqlite3 >/dev/null; then
	record_sqlite
else
	record_python
fi
say 'hakstat report'
"$hakstat" report program.trace

say "The demonstration case: 1024-byte requests under HAKMEM_SIZE_CLASSES=classic"
HAKMEM_SIZE_CLASSES=classic HAKMEM_SNAPSHOT_MS=10 PYTHONMALLOC=malloc "$hakstat" record --mode full -o case.trace -- \
	"$python" -c 'kept = [bytes(1024 - 33) for n in range(50000)]'
"$hakstat" report case.trace

say 'One byte decides: hakstat explain 1024'
"$hakstat" explain 1024 --size-classes classic
printf '\nwith the default table:\n'
"$hakstat" explain 1024

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The recipe of the saved summaries: records redis-server under redis-benchmark with the table fine and
# with classic, and saves each as redis-TABLE.summary.gz here; docs/formats.md is made from them.
# Needs go, chromium and pngquant as well, for the picture and for what pprof says. The summaries name the files
# and the host that they saw, so install to a neutral place, and as root run
#   unshare -u sh -c 'hostname db1; tests/data/redis/record.sh /opt/hakmem/bin/hakstat'
set -eu
hakstat=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
recorder=
leave() {
	[ -z "$recorder" ] || kill "$recorder" 2>/dev/null || true
	rm -rf "$work"
}
trap leave EXIT
cd "$work"

for table in fine classic; do
	HAKMEM_SIZE_CLASSES=$table "$hakstat" record --mode full -o "redis-$table" -- redis-server --port 0 \
		--unixsocket redis.sock --save '' --appendonly no --loglevel warning >redis.log &
	recorder=$!
	until redis-cli -s redis.sock ping >/dev/null 2>&1; do
		kill -0 "$recorder" # gone: the recipe ends
		sleep 0.1
	done
	redis-benchmark -s redis.sock -q -n 20000 -r 20000 -d 400 -t set,get,lpush,hset,zadd,lrange_100 </dev/null
	redis-cli -s redis.sock shutdown nosave
	wait "$recorder"
	recorder=
	"$hakstat" report --format summary "redis-$table" | gzip -9n >"$here/redis-$table.summary.gz"
done

# The picture in docs/formats.md.
"$hakstat" report --format html -o redis.html redis-fine
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=5000 \
	--window-size=1000,1330 --screenshot=redis.png "file://$work/redis.html"
pngquant --force --output "$here/../../../docs/formats-html.png" 64 redis.png

# What a reader says of the profile; tests/e2e/report_readers.t compares.
"$hakstat" report --format pprof -o redis.pb.gz redis-fine
shown=(go tool pprof -top -cum -nodecount=12 -sample_index=waste_space redis.pb.gz)
{
	echo "\$ ${shown[*]}"
	TZ=UTC "${shown[@]}"
} >"$here/pprof-top.txt"

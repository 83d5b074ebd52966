#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# redis-server: the same data set after the same commands (its own digest), snapshots written
# by a forked child and read back, and redis-benchmark without an error.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need redis-server redis-cli redis-benchmark

cat >"$tmp/fill.lua" <<'LUA'
local x = tonumber(ARGV[1])
local function rnd(n) x = (x * 16807) % 2147483647; return x % n + 1 end
for i = 1, 3000 do
	local k = 'k' .. rnd(5000)
	local kind = rnd(6)
	redis.call('DEL', k)
	if kind == 1 then redis.call('SET', k, string.rep('v', rnd(3000)))
	elseif kind == 2 then for j = 1, rnd(40) do redis.call('RPUSH', k, rnd(1000000) .. string.rep('l', rnd(100))) end
	elseif kind == 3 then for j = 1, rnd(40) do redis.call('HSET', k, 'f' .. rnd(100), string.rep('h', rnd(200))) end
	elseif kind == 4 then for j = 1, rnd(40) do redis.call('SADD', k, rnd(1000)) end
	elseif kind == 5 then for j = 1, rnd(40) do redis.call('ZADD', k, rnd(1000), 'm' .. rnd(1000)) end
	else redis.call('SETBIT', k, rnd(100000), 1) redis.call('APPEND', k, string.rep('a', rnd(500))) end
end
return redis.call('DBSIZE')
LUA

server=
stop_server() {
	[ -z "$server" ] || kill "$server"
}
tap_at_exit stop_server

cli() { redis-cli -s "$tmp/$1.sock" "${@:2}"; }

start() { # plain|hakmem
	local how=$1
	local preload=
	[ "$how" = plain ] || preload=$lib
	(cd "$tmp/$how" && LD_PRELOAD=$preload exec redis-server --port 0 --unixsocket "$tmp/$how.sock" --dir "$tmp/$how" --save '' --daemonize no \
		--enable-debug-command yes --appendonly no --activedefrag no --loglevel warning \
		>>"$tmp/$how.log" 2>>"$tmp/$how.err") &
	server=$!
	until cli "$how" ping 2>/dev/null | grep -q PONG; do
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
}

commands() { # plain|hakmem: what the server answers
	local seed
	for seed in 1 2 3 4 5 6 7 8; do
		cli "$1" --eval "$tmp/fill.lua" , "$seed"
	done
	cli "$1" debug digest
	cli "$1" sort k1 alpha limit 0 3
	cli "$1" save
	cli "$1" debug reload
	cli "$1" debug digest
	cli "$1" bgsave
	until cli "$1" info persistence | grep -q '^rdb_bgsave_in_progress:0'; do
		sleep 0.05
	done
	cli "$1" info persistence | tr -d '\r' | grep '^rdb_last_bgsave_status'
	cli "$1" flushall
	cli "$1" memory purge
}

mkdir -p "$tmp/plain" "$tmp/hakmem"
for how in plain hakmem; do
	HAKMEM_STATS=1 start "$how"
	commands "$how" >"$tmp/$how.answers" 2>&1
	if [ "$how" = hakmem ]; then
		tap_ok "redis-server has libhakmem.so mapped" grep -q 'libhakmem[.]so' "/proc/$server/maps"
		cli "$how" config resetstat >/dev/null
		tap_ok "redis-benchmark ends well" redis-benchmark -s "$tmp/$how.sock" -q -n 20000 -r 10000 -d 200 -P 8 \
			-t ping,set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset
		tap_like "$(cli "$how" info errorstats)" 'Errorstats' "redis-server still answers"
		tap_empty "$(cli "$how" info errorstats | grep errorstat_)" "redis-server counted no error"
	fi
	cli "$how" shutdown nosave
	wait "$server"
	status=$?
	server=
	echo "exit status $status" >>"$tmp/$how.answers"
done
tap_same "$tmp/hakmem.answers" "$tmp/plain.answers" "redis-server: the same answers, digests and exit status"
tap_is "$(grep -cE '^[0-9a-f]{40}$' "$tmp/plain.answers")" 2 "the digests are there"
tap_is "$(tail -n 1 "$tmp/plain.answers")" "exit status 0" "redis-server: success"
account_of redis-server "$tmp/hakmem.err"
tap_done

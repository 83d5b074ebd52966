#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lua: tables, closures, strings, coroutines, the collector; all of it through realloc.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need lua5.4

cat >"$tmp/script.lua" <<'LUA'
local x = 42
local function rnd(n) x = (x * 1103515245 + 12345) & 0x7fffffff; return x % n + 1 end
local sum, words = 0, {}
for i = 1, 80000 do
	local parts = {}
	for j = 1, rnd(10) do parts[j] = string.char(96 + rnd(26)) end
	local word = table.concat(parts)
	words[#words + 1] = word
	sum = (sum * 31 + #word) % 1000000007
	if i % 10000 == 0 then collectgarbage(i % 20000 == 0 and "generational" or "incremental") end
end
table.sort(words)
print(#words, sum, words[1], words[#words])
local function tree(depth) if depth == 0 then return {} end return { tree(depth - 1), tree(depth - 1) } end
local function size(t) return t[1] and 1 + size(t[1]) + size(t[2]) or 1 end
for depth = 4, 16, 4 do print(depth, size(tree(depth))) end
local s = string.rep("abc", 200000)
print(#s:gsub("b", "<%0%0>"), select(2, s:gsub("c", "")))
local made = {}
for i = 1, 2000 do made[i] = coroutine.wrap(function(a) while true do a = coroutine.yield(a * i) end end) end
local total = 0
for round = 1, 5 do for i = 1, #made do total = total + made[i](round) end end
print(total)
print(pcall(error, { code = 7 }) == false, select("#", table.unpack({}, 1, 200)))
LUA
same "lua" lua5.4 "$tmp/script.lua"
served lua5.4 lua5.4 -e 'local t = {} for i = 1, 1000 do t[i] = { i, tostring(i) } end print(#t)'
tap_done

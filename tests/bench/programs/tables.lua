-- SPDX-License-Identifier: MIT
-- Closures, short strings and tables that live for different times.
local function list(n)
	local head
	for i = 1, n do
		head = { value = i, next = head }
	end
	return head
end

local kept, total = {}, 0
for round = 1, 60 do
	local head = list(20000)
	if round % 6 == 0 then
		kept[#kept + 1] = head
	end
	while head do
		total = total + head.value
		head = head.next
	end
end

local index, text = {}, {}
for i = 1, 300000 do
	local key = string.format("%x-%d", i * 2654435761 % 4294967296, i % 977)
	local bucket = key:sub(1, 3)
	local names = index[bucket]
	if not names then
		names = {}
		index[bucket] = names
	end
	names[#names % 50 + 1] = key
	if i % 64 == 0 then
		text[#text + 1] = key:rep(1 + i % 9)
	end
end
table.sort(text)
local joined = table.concat(text, " ")
local words = 0
for word in joined:gmatch("%x+%-%d") do
	words = words + #word
end
print(total, #kept, #joined, words)

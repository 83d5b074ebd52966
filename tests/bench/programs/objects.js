// SPDX-License-Identifier: MIT
'use strict';
// Buffers and zlib streams, whose memory node takes from malloc, beside V8's own heap.
const zlib = require('zlib');
const kept = new Map();
let total = 0;
for (let i = 0; i < 4000; i++) {
  const row = { id: i, name: `n${(i * 7919) % 10007}`, list: Array.from({ length: i % 50 }, (_, k) => `${k}:${i}`) };
  const packed = zlib.deflateSync(Buffer.from(JSON.stringify(row).repeat(1 + (i % 7))), { level: 1 });
  kept.set(i % 700, Buffer.from(packed));
  total += zlib.inflateSync(packed).length;
}
console.log(total, kept.size);

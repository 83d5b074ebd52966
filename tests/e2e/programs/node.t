#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# node: objects, typed arrays, JSON, compression, hashing, worker threads.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need node

cat >"$tmp/script.js" <<'JS'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto');
let x = 7;
const rnd = (n) => (x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) % n;
const hash = (data) => crypto.createHash('sha256').update(data).digest('hex').slice(0, 16);
function work(seed) {
	x = seed;
	const rows = [];
	for (let i = 0; i < 20000; i++) rows.push({ id: i, name: 'n' + rnd(1000), list: Array.from({ length: rnd(8) }, () => rnd(100)) });
	const text = JSON.stringify(rows);
	const packed = zlib.deflateSync(text, { level: 6 });
	const buffers = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + rnd(100000), i));
	return [hash(text), JSON.parse(zlib.inflateSync(packed)).length, hash(Buffer.concat(buffers))].join(' ');
}
if (!isMainThread) {
	parentPort.postMessage(work(workerData));
} else {
	console.log(work(1));
	Promise.all([2, 3, 4, 5].map((seed) => new Promise((done, fail) => {
		new Worker(__filename, { workerData: seed }).on('message', done).on('error', fail);
	}))).then((results) => console.log(results.join('\n')));
}
JS
same "node" node "$tmp/script.js"
served node node -e 'console.log(Buffer.alloc(100000).length)'
tap_done

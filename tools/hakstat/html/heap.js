// SPDX-License-Identifier: MIT
// The heap over time: bands of one class or of all, or one band for each of the largest classes.

const heapMeasures = {
  live_usable_bytes: "usable", live_requested_bytes: "requested", live_waste_bytes: "waste", slab_bytes: "slabs",
};
let heapClass = "", heapMeasure = "";

// One point for each moment: sums over the rows of it.
function heapPoints(rows) {
  const points = new Map();
  for (const r of rows) {
    const p = points.get(r.time_ns) || { time: r.time_ns, span: r.span_ns, usable: 0, waste: 0, half: 0, slabs: 0, unknown: 0, resident: null };
    p.usable += r.live_usable_bytes;
    p.waste += r.live_waste_bytes || 0;
    p.half = r.live_waste_bytes !== null && r.live_waste_bytes_ci95 === null ? null // some class's is not known
      : p.half === null ? null : Math.hypot(p.half, r.live_waste_bytes_ci95 || 0);
    p.unknown += r.live_unknown_bytes || 0;
    p.slabs += Math.max(r.slab_bytes || 0, r.live_usable_bytes);
    if (r.resident_bytes != null) {
      p.resident = (p.resident || 0) + r.resident_bytes;
    }
    points.set(r.time_ns, p);
  }
  return Array.from(points.values()).sort((a, b) => a.time - b.time);
}

// What is committed, and in memory without being of a class, is the process's, so only all classes
// together have it. A slice without a snapshot has what the one before it had.
function addWhole(points) {
  const times = rowsOf("time").filter(t => t.committed_bytes !== null);
  let next = 0, committed = 0, resident = null;
  for (const p of points) {
    while (next < times.length && times[next].time_ns <= p.time) {
      committed = times[next].committed_bytes;
      resident = times[next++].resident_bytes;
    }
    p.committed = Math.max(committed, p.slabs);
    p.resident = resident;
  }
}

function timeScale(points, width) {
  const begin = points[0].time, last = points[points.length - 1];
  points.push({ ...last, time: last.time + last.span, isEnd: true });
  for (const p of points) {
    p.at = (p.time - begin) / 1e9;
  }
  return d3.scaleLinear([0, points[points.length - 1].at], [0, width]);
}

function heapAxes(s, x, y) {
  s.inner.append("g").attr("class", "grid").call(d3.axisLeft(y).tickValues(byteTicks(y, Y_TICKS)).tickSize(-s.width).tickFormat(""));
  s.inner.append("g").attr("class", "axis").attr("transform", `translate(0,${s.height})`)
    .call(d3.axisBottom(x).ticks(Math.max(3, s.width / 90)).tickFormat(t => +t.toFixed(3) + " s"));
  s.inner.append("g").attr("class", "axis").call(d3.axisLeft(y).tickValues(byteTicks(y, Y_TICKS)).tickFormat(formatTick));
}

// A line at the pointer, and the values of the moment under it.
function heapCursor(s, x, points, linesOf) {
  const line = s.inner.append("line").attr("class", "cursor").attr("y2", s.height).style("display", "none");
  const nearest = at => points[Math.max(0, d3.bisector(p => p.at).right(points, at) - 1)];
  s.inner.append("rect").attr("class", "hit").style("fill", "transparent").attr("width", s.width).attr("height", s.height)
    .on("mousemove", function() {
      const at = x.invert(d3.mouse(this)[0]);
      line.style("display", null).attr("x1", x(at)).attr("x2", x(at));
      showTip(linesOf(nearest(at)), d3.event.clientX, d3.event.clientY);
    })
    .on("mouseleave", () => { line.style("display", "none"); hideTip(); });
}

const bands = [["held", "committed, not in slabs", "committed"], ["idle", "slabs", "slabs"], ["waste", "usable", "usable"],
  ["unknown", "request unknown", "known"], ["requested", "requested", "requested"]];

function drawBands(rows) {
  const points = heapPoints(rows);
  const isWhole = heapClass === "";
  if (isWhole) {
    addWhole(points);
  }
  for (const p of points) {
    p.known = p.usable - p.waste;
    p.requested = p.known - p.unknown;
  }
  const used = bands.filter(b => (b[2] !== "committed" || isWhole) && (b[2] !== "known" || points.some(p => p.unknown)));
  const hasResident = points.some(p => p.resident !== null);
  legend("heap", [...used.map(b => [b[0], { held: "committed", idle: "free in slabs", waste: "waste (up to usable)" }[b[0]] || b[1]]),
    ...(hasResident ? [["line resident", "resident (in memory)"]] : [])]);
  const s = surface("heap", 300, { left: 66, right: 14, top: 8, bottom: 26 }, "Bytes over time: requested, usable, in slabs, committed, resident");
  const x = timeScale(points, s.width);
  const y = byteScale(d3.max(points, p => Math.max(p.committed || 0, p.slabs, p.resident || 0)), s.height);
  heapAxes(s, x, y);
  for (const [className, , key] of used) {
    s.inner.append("path").datum(points).attr("class", className)
      .attr("d", d3.area().curve(d3.curveStepAfter).x(p => x(p.at)).y0(s.height).y1(p => y(p[key])));
  }
  if (hasResident) {
    s.inner.append("path").datum(points).attr("class", "outline resident")
      .attr("d", d3.line().curve(d3.curveStepAfter).defined(p => p.resident !== null).x(p => x(p.at)).y(p => y(p.resident)));
  }
  heapCursor(s, x, points, p => [`after ${p.at.toFixed(2)} s`, ["requested", formatBytes(p.requested)], ...(p.unknown ? [["request unknown", formatBytes(p.unknown)]] : []),
    ["waste", formatEstimate(p.waste, p.half)], ["usable", formatBytes(p.usable)], ["slabs", formatBytes(p.slabs)],
    ...(isWhole ? [["committed", formatBytes(p.committed)]] : []), ...(p.resident !== null ? [["resident", formatBytes(p.resident)]] : [])]);
}

// The classes with the highest peaks, and all others as one.
function largestClasses(rows, measure) {
  const peaks = d3.nest().key(r => r.name).rollup(g => d3.max(g, r => r[measure] || 0)).entries(rows);
  return peaks.filter(p => p.value > 0).sort((a, b) => b.value - a.value).map(p => p.key).slice(0, 9);
}

function drawStack(rows) {
  const names = largestClasses(rows, heapMeasure), other = "others";
  const points = d3.nest().key(r => r.time_ns).entries(rows).map(g => {
    const p = { time: g.values[0].time_ns, span: g.values[0].span_ns, [other]: 0 };
    names.forEach(n => { p[n] = 0; });
    g.values.forEach(r => { p[names.includes(r.name) ? r.name : other] += r[heapMeasure] || 0; });
    return p;
  }).sort((a, b) => a.time - b.time);
  const keys = [...names, other];
  const palette = d3.scaleOrdinal(keys, [...d3.schemeTableau10.slice(0, names.length), colour("held")]);
  const s = surface("heap", 300, { left: 66, right: 14, top: 8, bottom: 26 }, `${heapMeasures[heapMeasure]} bytes over time, by class`);
  const x = timeScale(points, s.width);
  const stack = d3.stack().keys(keys)(points);
  const y = byteScale(d3.max(stack[stack.length - 1], d => d[1]), s.height);
  heapAxes(s, x, y);
  s.inner.selectAll(".layer").data(stack).enter().append("path").attr("class", "layer").attr("fill", d => palette(d.key))
    .attr("d", d3.area().curve(d3.curveStepAfter).x(d => x(d.data.at)).y0(d => y(d[0])).y1(d => y(d[1])));
  heapCursor(s, x, points, p => [`after ${p.at.toFixed(2)} s`, ...keys.filter(k => p[k]).map(k => [k, formatBytes(p[k])])]);
  const list = d3.select("#heap .plot").insert("div", "svg").attr("class", "legend");
  for (const key of keys) {
    const entry = list.append("span");
    entry.append("i").style("background", palette(key));
    entry.append("span").text(key);
  }
}

function drawHeap() {
  const rows = rowsOf("heap").filter(r => heapClass === "" || r.name === heapClass);
  if (!rows.length) {
    sayEmpty("heap", "No snapshot of the heap is in this trace.");
  } else if (heapMeasure) {
    drawStack(rows);
  } else {
    drawBands(rows);
  }
}

const redrawHeap = addPlot("heap", drawHeap);

function showHeap() {
  const names = Array.from(new Set(rowsOf("heap").map(r => r.name)));
  const measures = Object.entries(heapMeasures).map(([key, text]) => [key, text + " by class"]);
  addSelect("heap", "What is drawn", [["", "levels"], ...measures], key => {
    heapMeasure = key;
    classes.disabled = key !== "";
    heapClass = key ? "" : classes.value;
    redrawHeap();
  });
  const classes = addSelect("heap", "Class", [["", "all classes"], ...names.map(n => [n, n])], name => {
    heapClass = name;
    redrawHeap();
  });
  if (trace.estimated) {
    document.querySelector("#heap h2").append(" ", estimateMark("requested bytes and waste are estimated from samples"));
  }
  redrawHeap();
}

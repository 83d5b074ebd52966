// SPDX-License-Identifier: MIT
// Request sizes: a histogram in bytes, eight bins a doubling, against the ends of classes; or one
// request of each size against the block it gets.

const sizeViews = {
  all: ["All", "", "allocs"],
  peak: ["At the peak", "peak_live_", "peak_live"],
  one: ["One request", "", "allocs"],
};
let sizeView = "all";

// The bin that holds a size: [from, to). Each size up to 16 has its own.
function binOf(size) {
  if (size < 16) {
    return [Math.max(size, .5), size + 1 || 1];
  }
  const step = 2 ** Math.floor(Math.log2(size)) / 8;
  const from = Math.floor((size - 1) / step) * step + 1;
  return [from, from + step];
}

function sizeBins(rows, view) {
  const [, prefix, count] = sizeViews[view];
  const bins = new Map();
  for (const r of rows) {
    const [from, to] = binOf(r.requested_max);
    const b = bins.get(from) || { from, to, requested: 0, waste: 0, count: 0, classes: new Set() };
    b.requested += r[prefix + "requested_bytes"] || 0;
    b.waste += r[prefix + "waste_bytes"] || 0;
    b.count += r[count] || 0;
    b.classes.add(r.name);
    bins.set(from, b);
  }
  return Array.from(bins.values()).filter(b => b.requested + b.waste > 0).sort((a, b) => a.from - b.from);
}

function sizeTicks(x) {
  const [low, high] = x.domain();
  const every = Math.max(1, Math.ceil(Math.log2(high / low) / (x.range()[1] / 62)));
  return d3.range(Math.ceil(Math.log2(low)), Math.log2(high), 1).filter(e => e % every === 0).map(e => 2 ** e);
}

// The ends of the classes that served these requests, where there is room for a line and for a name.
function drawEdges(s, x) {
  const [low, high] = x.domain();
  const used = rowsOf("class").filter(r => r.usable && r.allocs && r.usable >= low && r.usable <= high);
  let lastLine = -Infinity, lastName = -Infinity;
  for (const r of used.sort((a, b) => a.usable - b.usable)) {
    const at = x(r.usable);
    if (at - lastLine < 5) {
      continue;
    }
    lastLine = at;
    s.inner.append("line").attr("class", "edge").attr("x1", at).attr("x2", at).attr("y1", -2).attr("y2", s.height);
    if (at - lastName > 8 + 6.2 * r.name.length) {
      s.inner.append("text").attr("class", "soft edge-name").attr("x", at).attr("y", -6).text(r.name);
      lastName = at;
    }
  }
}

function drawHistogram(rows) {
  const bins = sizeBins(rows, sizeView);
  if (!bins.length) {
    sayEmpty("sizes", "No request size is known for these.");
    return;
  }
  legend("sizes", [["requested", "requested"], ["waste", "waste: up to the blocks they got"]]);
  const s = surface("sizes", 320, { left: 66, right: 14, top: 20, bottom: 44 }, "Bytes by request size, requested and wasted, with the ends of classes");
  const x = d3.scaleLog().base(2).domain([bins[0].from, Math.max(bins[bins.length - 1].to, bins[0].from * 4)]).range([0, s.width]);
  const y = byteScale(d3.max(bins, b => b.requested + b.waste), s.height);
  sizeAxes(s, x, y, byteTicks(y, Y_TICKS));
  drawEdges(s, x);
  const bars = s.inner.selectAll(".bin").data(bins).enter().append("g").attr("class", "bin");
  const width = b => Math.max(1, x(b.to) - x(b.from) - .5);
  bars.append("rect").attr("class", "requested").attr("x", b => x(b.from)).attr("width", width).attr("y", b => y(b.requested)).attr("height", b => s.height - y(b.requested));
  bars.append("rect").attr("class", "waste").attr("x", b => x(b.from)).attr("width", width).attr("y", b => y(b.requested + b.waste)).attr("height", b => y(b.requested) - y(b.requested + b.waste));
  bars.append("rect").attr("class", "hit").attr("x", b => x(b.from)).attr("width", width).attr("height", s.height);
  addTip(bars, b => [`requests of ${Math.floor(b.from)}${b.to - b.from > 1 ? " to " + (b.to - 1) : ""} B`, ["class", Array.from(b.classes).join(", ")], ["requests", formatCount(b.count)],
    ["requested", formatBytes(b.requested)], ["waste", `${formatBytes(b.waste)}, ${percentOf(b.waste, b.requested + b.waste)}`]]);
}

function sizeAxes(s, x, y, ticks) {
  s.inner.append("g").attr("class", "grid").call(d3.axisLeft(y).tickValues(ticks).tickSize(-s.width).tickFormat(""));
  s.inner.append("g").attr("class", "axis").attr("transform", `translate(0,${s.height})`).call(d3.axisBottom(x).tickValues(sizeTicks(x)).tickFormat(formatTick));
  s.inner.append("g").attr("class", "axis").call(d3.axisLeft(y).tickValues(ticks).tickFormat(formatTick));
  s.inner.append("text").attr("class", "soft").attr("x", s.width).attr("y", s.height + 38).attr("text-anchor", "end").text("size of one request");
}

// What one request of a size gets: its block, as a staircase over the line of what it asked for.
function drawStairs(rows) {
  const steps = rows.filter(r => r.requested_max > 0 && r.allocs > 0)
    .map(r => ({ size: r.requested_max, block: r.usable || r.usable_bytes / r.allocs, row: r })).sort((a, b) => a.size - b.size || a.block - b.block);
  if (!steps.length) {
    sayEmpty("sizes", "No request size is known.");
    return;
  }
  legend("sizes", [["requested", "what one request asks for"], ["waste", "waste: up to the block it gets"]]);
  const s = surface("sizes", 320, { left: 66, right: 14, top: 20, bottom: 44 }, "The block that one request of each size gets");
  const high = Math.max(d3.max(steps, d => d.block), 2 * steps[0].size);
  const x = d3.scaleLog().base(2).domain([steps[0].size, Math.max(steps[steps.length - 1].size, 2 * steps[0].size)]).range([0, s.width]);
  const y = d3.scaleLog().base(2).domain([steps[0].size, high]).range([s.height, 0]);
  const every = Math.ceil(Math.log2(high / steps[0].size) / 8);
  sizeAxes(s, x, y, d3.range(Math.ceil(Math.log2(steps[0].size)), Math.log2(high) + .01, Math.max(1, every)).map(e => 2 ** e));
  drawEdges(s, x);
  s.inner.append("path").datum(steps).attr("class", "requested").attr("d", d3.area().x(d => x(d.size)).y0(s.height).y1(d => y(d.size)));
  s.inner.append("path").datum(steps).attr("class", "waste")
    .attr("d", d3.area().curve(d3.curveStepBefore).x(d => x(d.size)).y0(d => y(d.size)).y1(d => y(d.block)));
  s.inner.append("path").datum(steps).attr("class", "requested").attr("d", d3.area().x(d => x(d.size)).y0(s.height).y1(d => y(d.size)));
  const bisect = d3.bisector(d => d.size).left;
  s.inner.append("rect").attr("class", "hit").style("fill", "transparent").attr("width", s.width).attr("height", s.height).on("mousemove", function() {
    const d = steps[Math.min(steps.length - 1, bisect(steps, x.invert(d3.mouse(this)[0])))];
    showTip([`a request of ${formatCount(d.size)} B`, ["class", d.row.name], ["block", formatBytes(d.block)], ["waste", `${formatBytes(d.block - d.size)}, ${percentOf(d.block - d.size, d.block)}`],
      ["requests", formatCount(d.row.allocs)]], d3.event.clientX, d3.event.clientY);
  }).on("mouseleave", hideTip);
}

function drawSizes() {
  const rows = rowsOf("size");
  if (sizeView === "one") {
    drawStairs(rows);
  } else {
    drawHistogram(rows);
  }
}

const redrawSizes = addPlot("sizes", drawSizes);

function showSizes() {
  addChoice("sizes", "Which requests", Object.entries(sizeViews).map(([key, v]) => [key, v[0]]), sizeView, key => {
    sizeView = key;
    redrawSizes();
  });
  if (trace.estimated) {
    document.querySelector("#sizes h2").append(" ", estimateMark("how often each size was asked for is estimated from samples"));
  }
  redrawSizes();
}

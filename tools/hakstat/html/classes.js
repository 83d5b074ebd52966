// SPDX-License-Identifier: MIT
// Waste per class as bars: usable bytes, cut into requested, waste and what nothing tells.

const classViews = {
  all: ["All", ""],
  peak: ["Live at the peak", "peak_live_"],
  end: ["Live at the end", "live_"],
};
let classView = "all", allClasses = false;

function classBar(row, prefix) {
  const usable = row[prefix + "usable_bytes"] || 0;
  const waste = row[prefix + "waste_bytes"] || 0, requested = row[prefix + "requested_bytes"] || 0;
  const half = prefix ? row[prefix + "requested_bytes_ci95"] : requested * row.ci95_percent / 100;
  return { row, usable, waste, requested, half, wasteHalf: row[prefix + "waste_bytes_ci95"], unknown: Math.max(0, usable - waste - requested) };
}

function classLines(b) {
  const r = b.row;
  return [`${r.name} (${r.route})`, ["block", r.usable ? formatBytes(r.usable) : "whole pages"], ["allocations", formatCount(r.allocs)],
    ["usable", formatBytes(b.usable)], ["requested", formatEstimate(b.requested, b.half)],
    ["waste", `${formatEstimate(b.waste, b.wasteHalf)}, ${percentOf(b.waste, b.usable - b.unknown)}`],
    ...(b.unknown ? [["request unknown", formatBytes(b.unknown)]] : []), ...(b.half ? [["±", "95 % interval"]] : [])];
}

// The 95 % interval of what was requested, as a line with ends.
function drawIntervals(groups, x, middle) {
  const end = (b, sign) => x(Math.min(b.usable, Math.max(0, b.requested + sign * b.half)));
  groups.append("path").attr("class", "interval")
    .attr("d", b => `M${end(b, -1)},${middle - 4}v8m0,-4H${end(b, 1)}m0,-4v8`);
}

function drawClasses() {
  const enough = 18;
  const bars = rowsOf("class").map(r => classBar(r, classViews[classView][1])).filter(b => b.usable > 0)
    .sort((a, b) => b.waste - a.waste || b.usable - a.usable);
  const shown = allClasses ? bars : bars.slice(0, enough);
  if (!bars.length) {
    sayEmpty("classes", "No block of any class.");
    return;
  }
  legend("classes", [["requested", "requested"], ["waste", "waste"], ...(shown.some(b => b.unknown) ? [["unknown", "request unknown"]] : [])]);
  const s = surface("classes", 25 * shown.length + 30, { left: 72, right: 128, top: 2, bottom: 26 }, "Usable bytes of each class, cut into requested and waste");
  const x = d3.scaleLinear([0, d3.max(shown, b => b.usable)], [0, s.width]);
  const y = d3.scaleBand(shown.map((b, i) => i), [0, s.height]).padding(.24);
  s.inner.append("g").attr("class", "axis").attr("transform", `translate(0,${s.height})`)
    .call(d3.axisBottom(x).tickValues(byteTicks(x, Math.max(2, s.width / 110))).tickFormat(formatTick));
  const groups = s.inner.selectAll(".bar").data(shown).enter().append("g").attr("class", "bar")
    .attr("transform", (b, i) => `translate(0,${y(i)})`).attr("tabindex", 0).attr("role", "img")
    .attr("aria-label", b => classLines(b).map((l, i) => i ? l.join(" ") : l).join(", "));
  groups.append("text").attr("x", -8).attr("y", y.bandwidth() / 2).attr("dy", ".35em").attr("text-anchor", "end").text(b => b.row.name);
  for (const part of ["requested", "waste", "unknown"]) {
    const start = { requested: () => 0, waste: b => b.requested, unknown: b => b.requested + b.waste }[part];
    groups.filter(b => b[part] > 0).append("rect").attr("class", part).attr("height", y.bandwidth()).attr("x", b => x(start(b))).attr("width", b => x(b[part]));
  }
  drawIntervals(groups.filter(b => b.half > 0 && b.requested > 0), x, y.bandwidth() / 2);
  groups.append("text").attr("x", b => x(b.usable) + 8).attr("y", y.bandwidth() / 2).attr("dy", ".35em").attr("class", "soft")
    .text(b => b.unknown === b.usable ? "?" : `${formatBytes(b.waste)} · ${percentOf(b.waste, b.usable - b.unknown)}`);
  groups.append("rect").attr("class", "hit").attr("x", -72).attr("width", s.width + 200).attr("height", y.bandwidth());
  addTip(groups, classLines);
  if (bars.length > enough) {
    d3.select("#classes .plot").append("button").attr("type", "button").text(allClasses ? "Fewer classes" : `All ${bars.length} classes`)
      .on("click", () => { allClasses = !allClasses; redrawClasses(); });
  }
}

const redrawClasses = addPlot("classes", drawClasses);

function showClasses() {
  addChoice("classes", "Which blocks", Object.entries(classViews).map(([key, v]) => [key, v[0]]), classView, key => {
    classView = key;
    redrawClasses();
  });
  if (trace.estimated) {
    document.querySelector("#classes h2").append(" ", estimateMark("requested bytes and waste are estimated from samples"));
  }
  redrawClasses();
}

// SPDX-License-Identifier: MIT
// Call sites as a flame graph from either end. Only what can be seen is built: a node's children are
// grouped when it is wide enough to show them, and the number of drawn frames is bounded, so
// tens of thousands of stacks open as fast as ten.

const siteMeasures = {
  waste_bytes: "waste", requested_bytes: "requested", live_waste_bytes: "live waste", allocs: "allocations",
};
const MOST_FRAMES = 2500, FRAME_HEIGHT = 20, NARROWEST = 3; // pixels
let siteMeasure = "waste_bytes", fromAllocation = false, siteFocus = [], siteSearch = "";

const siteColumns = report.tables.site.columns.map(c => c.key);
const siteStack = siteColumns.indexOf("stack");
const siteNames = report.frames.map(frameName);

function siteValue(row, key) {
  return row[siteColumns.indexOf(key)] || 0;
}

// The frame at `depth` steps from the end that the view begins at; undefined past the last.
function stepOf(row, depth) {
  const stack = row[siteStack];
  return stack[fromAllocation ? depth : stack.length - 1 - depth];
}

function makeNode(name, frame, rows, depth, parent) {
  const at = siteColumns.indexOf(siteMeasure), waste = siteColumns.indexOf("waste_bytes"), usable = siteColumns.indexOf("requested_bytes");
  const node = { name, frame, rows, depth, parent, value: 0, waste: 0, bytes: 0, key: parent ? [...parent.key, name] : [] };
  for (const row of rows) {
    node.value += row[at] || 0;
    node.waste += row[waste] || 0;
    node.bytes += (row[waste] || 0) + (row[usable] || 0);
  }
  return node;
}

function childrenOf(node) {
  const groups = new Map();
  for (const row of node.rows) {
    const frame = stepOf(row, node.depth);
    const name = frame === undefined ? undefined : siteNames[frame];
    if (name !== undefined) {
      const group = groups.get(name) || groups.set(name, { frame, rows: [] }).get(name);
      group.rows.push(row);
    }
  }
  return Array.from(groups, ([name, g]) => makeNode(name, g.frame, g.rows, node.depth + 1, node)).sort((a, b) => b.value - a.value);
}

// Children of the widest nodes first, until nothing visible is left or enough is drawn.
function expand(root, narrowest) {
  const open = [root];
  let drawn = 1;
  while (open.length && drawn < MOST_FRAMES) {
    const node = open.shift();
    node.children = childrenOf(node).filter(c => c.value >= narrowest);
    drawn += node.children.length;
    open.push(...node.children);
    open.sort((a, b) => b.value - a.value);
  }
  return root;
}

// The node that the focus names, as deep as the path still exists.
function focusedNode() {
  let node = makeNode("all", undefined, report.tables.site.rows, 0, null);
  for (const name of siteFocus) {
    const next = childrenOf(node).find(c => c.name === name);
    if (!next) {
      break;
    }
    node = next;
  }
  siteFocus = node.key;
  return node;
}

function measureText(value) {
  return siteMeasure === "allocs" ? formatCount(value) : formatBytes(value);
}

function nodeLines(n, total) {
  const frame = n.frame === undefined ? null : report.frames[n.frame];
  return [frame ? n.name : "all call sites",
    ...(frame && frame.file ? [["at", `${baseName(frame.file)}:${frame.line || "?"}${frame.inlined ? ", inlined" : ""}`]] : []),
    ...(frame && frame.module ? [["module", baseName(frame.module)]] : []),
    [siteMeasures[siteMeasure], `${measureText(n.value)}, ${percentOf(n.value, total)}`],
    ["waste of usable", percentOf(n.waste, n.bytes)], ["stacks", formatCount(n.rows.length)]];
}

function showPath(node) {
  const path = d3.select("#sites .plot").append("div").attr("class", "path");
  path.append("button").attr("type", "button").attr("id", "flame-reset").text("Reset").property("disabled", !siteFocus.length)
    .on("click", () => { siteFocus = []; redrawSites(); });
  path.append("span").text(siteFocus.length ? `within ${siteFocus[siteFocus.length - 1]}: ${measureText(node.value)}` : "Select a frame to look into it.");
  path.append("span").attr("id", "flame-match");
}

// Arrow keys walk the tree, Enter looks into a frame.
function walk(node, key) {
  const siblings = node.parent && node.parent.children ? node.parent.children : [node];
  const at = siblings.indexOf(node);
  return { ArrowUp: node.parent, ArrowDown: node.children && node.children[0], ArrowLeft: siblings[at - 1], ArrowRight: siblings[at + 1] }[key];
}

function drawFlame(node, x) {
  const shades = d3.interpolateRgb(colour("flame-low"), colour("flame-high"));
  const drawn = d3.hierarchy(node, n => n.children).sum(() => 0);
  drawn.each(h => { h.value = h.data.value; });
  const levels = drawn.height + 1;
  const s = surface("sites", levels * FRAME_HEIGHT + 4, { left: 0, right: 0, top: 0, bottom: 0 }, "Flame graph of call sites");
  d3.partition().size([s.width, levels * FRAME_HEIGHT])(drawn);
  s.svg.attr("class", "flame").classed("searching", siteSearch !== "");
  const frames = s.inner.selectAll("g").data(drawn.descendants()).enter().append("g")
    .attr("transform", h => `translate(${h.x0},${h.y0})`).attr("tabindex", h => h.depth ? -1 : 0).attr("role", "img")
    .attr("aria-label", h => nodeLines(h.data, node.value).map((l, i) => i ? l.join(" ") : l).join(", "))
    .classed("match", h => siteSearch !== "" && h.data.name.toLowerCase().includes(siteSearch));
  frames.each(function(h) { h.data.element = this; h.shade = shades(h.data.bytes > 0 ? Math.sqrt(h.data.waste / h.data.bytes) : 0); });
  frames.append("rect").attr("width", h => Math.max(.5, h.x1 - h.x0)).attr("height", FRAME_HEIGHT).attr("rx", 2).attr("fill", h => h.shade);
  frames.filter(h => h.x1 - h.x0 > 34).append("text").attr("x", 5).attr("y", FRAME_HEIGHT / 2).attr("dy", ".35em")
    .style("fill", h => d3.lab(h.shade).l > 55 ? "#1b1206" : "#ffffff").text(h => fitText(h.data.frame === undefined ? "all" : h.data.name, h.x1 - h.x0 - 10));
  frames.on("click", h => { siteFocus = h.data.key; redrawSites(); }).on("keydown", h => {
    const next = walk(h.data, d3.event.key);
    if (next && next.element) {
      d3.event.preventDefault();
      next.element.focus();
    } else if (d3.event.key === "Enter") {
      siteFocus = h.data.key;
      redrawSites();
      document.querySelector("#sites .flame g[tabindex='0']").focus();
    }
  });
  addTip(frames, h => nodeLines(h.data, node.value));
  return frames;
}

function fitText(text, width) {
  const most = Math.floor(width / 6.6);
  return text.length <= most ? text : most < 3 ? "" : text.slice(0, most - 1) + "…";
}

function drawSites() {
  const node = focusedNode();
  if (!node.value) {
    sayEmpty("sites", report.tables.site.rows.length ? "Nothing to show by this measure." : "No call stack is in this trace.");
    return;
  }
  showPath(node);
  expand(node, node.value * NARROWEST / plotWidth("sites"));
  const frames = drawFlame(node);
  if (siteSearch) {
    const rows = new Set(node.rows.filter(r => r[siteStack].some(f => siteNames[f].toLowerCase().includes(siteSearch))));
    const found = d3.sum(Array.from(rows), r => siteValue(r, siteMeasure));
    d3.select("#flame-match").text(`“${siteSearch}” is in ${measureText(found)}, ${percentOf(found, node.value)}`);
  }
  legend("sites", [["flame-scale", "stronger: a larger part of the usable bytes is waste"]]);
  d3.selectAll(".flame-scale").style("background", `linear-gradient(90deg, ${colour("flame-low")}, ${colour("flame-high")})`).style("width", "3rem");
  return frames;
}

const redrawSites = addPlot("sites", drawSites);

function showSites() {
  const lead = document.querySelector("#sites .lead");
  lead.textContent = trace.sites_are_wasteful_requests_only
    ? "Only requests that waste HAKMEM_FRAG_PERCENT or more have a stack in this trace."
    : "A frame is as wide as what was wasted below it.";
  if (report.tables.site.rows.length && !trace.sites_are_wasteful_requests_only) {
    document.querySelector("#sites h2").append(" ", estimateMark("stacks come from samples, so their sums are estimates"));
  }
  addChoice("sites", "Begin at", [["", "From the program's start"], ["up", "From the allocation"]], "", key => {
    fromAllocation = key === "up";
    siteFocus = [];
    redrawSites();
  });
  addSelect("sites", "Width of a frame", Object.entries(siteMeasures), key => {
    siteMeasure = key;
    redrawSites();
  });
  const search = element("input");
  search.type = "search";
  search.placeholder = "Find a function";
  search.setAttribute("aria-label", "Find a function");
  search.addEventListener("input", () => { siteSearch = search.value.trim().toLowerCase(); redrawSites(); });
  document.querySelector("#sites .controls").append(search);
  redrawSites();
}

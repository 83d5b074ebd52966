// SPDX-License-Identifier: MIT
// Data, numbers for people, the tooltip, and what all plots share. Every text of the trace is set
// with textContent (d3's .text()): none of it is ever parsed as markup.

const report = JSON.parse(document.getElementById("data").textContent);

// The rows of a table as objects by column key.
function rowsOf(name) {
  const table = report.tables[name];
  return table.rows.map(row => Object.fromEntries(table.columns.map((c, i) => [c.key, row[i]])));
}

function formatBytes(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let value = bytes, unit = 0;
  if (report.exact) {
    return formatCount(bytes) + " B";
  }
  while (Math.abs(value) >= 1023.95 && unit + 1 < units.length) {
    value /= 1024;
    unit++;
  }
  return (unit ? value.toFixed(1) : Math.round(value)) + " " + units[unit];
}

// A number of bytes with half the width of its 95 % interval, as hakstat's tables have it.
function formatEstimate(bytes, half) {
  return formatBytes(bytes) + (half === null ? " ±?" : half ? ` ±${formatBytes(half)}` : "");
}

// For axes: "8 KiB" rather than "8.0 KiB".
function formatTick(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  const unit = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return +(bytes / 1024 ** unit).toFixed(2) + " " + units[unit];
}

function formatCount(count) {
  return count.toLocaleString("en-US");
}

function formatPercent(percent) {
  return percent.toFixed(1) + " %";
}

function percentOf(part, whole) {
  return whole > 0 ? formatPercent(100 * part / whole) : "?";
}

function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

// "function (file:line)", "function (module)", "module+0x12": as in hakstat's tables.
function frameText(frame) {
  const name = frameName(frame);
  if (!frame.function) {
    return name;
  }
  if (frame.file) {
    return `${name} (${baseName(frame.file)}:${frame.line || "?"})`;
  }
  return `${name} (${frame.module ? baseName(frame.module) : "?"})`;
}

function frameName(frame) {
  const offset = "0x" + frame.offset.toString(16);
  return frame.function || (frame.module ? baseName(frame.module) + "+" + offset : offset);
}

function formatTime(ns) {
  return new Date(ns / 1e6).toLocaleTimeString("en-GB") + "." + String(Math.floor(ns / 1e6) % 1000).padStart(3, "0");
}

// A cell as people read it; unknown is "?", a block size that differs "-".
function formatCell(column, value) {
  if (value === null) {
    return column.unit === "text" || column.key === "usable" ? "-" : "?";
  }
  switch (column.unit) {
  case "bytes": return formatBytes(value);
  case "count": return formatCount(value);
  case "percent": return value.toFixed(1);
  case "id": return column.key === "time_ns" ? formatTime(value) : String(value);
  default: return String(value);
  }
}

// TAG(class, text): a detached element.
function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) {
    node.className = className;
  }
  if (text !== undefined) {
    node.textContent = text;
  }
  return node;
}

function estimateMark(what) {
  const mark = element("abbr", "est", "estimated");
  mark.title = what;
  return mark;
}

const tip = document.getElementById("tip");

// lines: a title, then pairs of name and value.
function fillTip(lines) {
  const table = element("table");
  tip.textContent = "";
  tip.append(element("b", "", lines[0]));
  for (const [name, value] of lines.slice(1)) {
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = value;
  }
  tip.append(table);
}

function showTip(lines, x, y) {
  fillTip(lines);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 6));
  const above = y - box.height - 12;
  tip.style.left = left + "px";
  tip.style.top = (y + 18 + box.height > innerHeight && above > 0 ? above : y + 18) + "px";
}

function hideTip() {
  tip.hidden = true;
}

// The selection's elements say `linesOf(datum)` under the pointer, when tapped and when focused.
function addTip(selection, linesOf) {
  selection
    .on("mousemove", d => showTip(linesOf(d), d3.event.clientX, d3.event.clientY))
    .on("mouseleave", hideTip)
    .on("focus.tip", function(d) {
      const box = this.getBoundingClientRect();
      showTip(linesOf(d), box.left + box.width / 2, box.bottom - 12);
    })
    .on("blur.tip", hideTip);
  return selection;
}

// The width of plots on paper, in CSS pixels: a page of A4 or letter between its margins. Null on a screen.
const PAPER = 690;
let paperWidth = null;

function plotWidth(id) {
  return paperWidth || Math.max(280, document.querySelector("#" + id + " .plot").clientWidth || 900);
}

// A drawing surface in `id`'s .plot, as wide as there is room, `margin` inside.
function surface(id, height, margin, label) {
  const plot = d3.select("#" + id + " .plot");
  const width = plotWidth(id);
  const svg = plot.append("svg")
    .attr("viewBox", `0 0 ${width} ${height}`)
    .attr("role", "group").attr("aria-label", label);
  const inner = svg.append("g").attr("transform", `translate(${margin.left},${margin.top})`);
  return { svg, inner, width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
}

function legend(id, entries) {
  const list = d3.select("#" + id + " .plot").append("div").attr("class", "legend");
  for (const [className, text] of entries) {
    const entry = list.append("span");
    entry.append("i").attr("class", className);
    entry.append("span").text(text);
  }
}

function sayEmpty(id, text) {
  d3.select("#" + id + " .plot").append("p").attr("class", "empty").text(text);
}

// Byte axes are marked at multiples of a power of two, about `count` times.
function byteStep(top, count) {
  return 2 ** Math.ceil(Math.log2(Math.max(top / count, 1)));
}

function byteTicks(scale, count) {
  const top = scale.domain()[1];
  return d3.range(0, top + 1, byteStep(top, count));
}

const Y_TICKS = 5;

// From 0 at `height` up to the mark above `top`.
function byteScale(top, height) {
  const step = byteStep(top, Y_TICKS);
  return d3.scaleLinear([0, Math.max(1, Math.ceil(top / step)) * step], [height, 0]);
}

// Buttons of which one is pressed; calls back with the key.
function addChoice(id, label, choices, chosen, changed) {
  const group = element("div", "choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  for (const [key, text] of choices) {
    const button = element("button", "", text);
    button.type = "button";
    button.dataset.key = key;
    button.setAttribute("aria-pressed", key === chosen);
    button.addEventListener("click", () => {
      for (const other of group.children) {
        other.setAttribute("aria-pressed", other === button);
      }
      changed(key);
    });
    group.append(button);
  }
  document.querySelector("#" + id + " .controls").append(group);
}

function addSelect(id, label, choices, changed) {
  const select = element("select");
  select.setAttribute("aria-label", label);
  for (const [key, text] of choices) {
    const option = element("option", "", text);
    option.value = key;
    select.append(option);
  }
  select.addEventListener("change", () => changed(select.value));
  document.querySelector("#" + id + " .controls").append(select);
  return select;
}

// What draws a section anew; filled by addPlot, called when the width or the colours change.
const plots = [];

function addPlot(id, draw) {
  const redraw = () => {
    hideTip();
    d3.select("#" + id + " .plot").selectAll("*").remove();
    draw();
  };
  plots.push(redraw);
  return redraw;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

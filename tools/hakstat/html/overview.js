// SPDX-License-Identifier: MIT
// Title, warnings, totals, where the memory is, and the findings.

const trace = report.trace, totals = report.totals;

function plural(count, word) {
  return formatCount(count) + " " + word + (count === 1 ? "" : word.endsWith("s") ? "es" : "s");
}

function showTitle() {
  const names = Array.from(new Set(rowsOf("process").map(p => p.process || "?")));
  const shown = names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  const facts = [`mode ${trace.mode}`, `${trace.duration_s.toFixed(1)} s`,
    plural(report.tables.process.rows.length, "process"), plural(trace.events, "event"),
    plural(trace.operations, trace.mode === "sample" ? "sample" : "operation"),
    ...(isLossy() || trace.partial ? [] : ["none lost"])];
  document.getElementById("title").textContent = shown || "No process in this trace";
  document.getElementById("subtitle").textContent =
    trace.paths.map(baseName).join(", ") + (trace.hosts.length ? ` from ${trace.hosts.join(", ")}` : "") + " · " + facts.join(", ");
  const c = report.config;
  document.getElementById("provenance").textContent = c
    ? `Recorded with hakmem ${c.version}: size classes ${c.size_classes}, Tiny up to C${c.tiny_max_class} (${c.tiny_max_size} B), superslabs of ${formatBytes(c.superslab_size)}${c.differs ? "; the processes differ in them" : ""}.`
    : "The options in force are not in this trace.";
}

function addNotice(text, isAlarm) {
  document.getElementById("notices").append(element("p", "notice" + (isAlarm ? " alarm" : ""), text));
}

function isLossy() {
  return trace.lost_events > 0 || trace.lost_is_lower_bound || trace.lost_operations > 0;
}

function showNotices() {
  if (isLossy()) {
    const least = trace.lost_is_lower_bound ? "at least " : "";
    const packed = trace.lost_operations ? ` and ${plural(trace.lost_operations, "packed operation")}` : "";
    addNotice(`Lost: ${least}${plural(trace.lost_events, "event")}${packed}. Sums are lower bounds.`, true);
  }
  if (trace.malformed_records) {
    addNotice(`${plural(trace.malformed_records, "record")} of the trace could not be understood and are in no sum.`, true);
  }
  if (trace.partial) {
    addNotice("Partial: only a part of the trace was read; the notes say why.", true);
  }
  if (trace.estimated) {
    addNotice("Requested bytes and waste are estimated from samples, marked “estimated”, with 95 % intervals. Counts of blocks are exact.");
  }
  trace.notes.forEach(note => addNotice(note));
}

function addCard(name, value, small, className) {
  const card = element("div", className || "");
  const dd = element("dd");
  card.append(element("dt", "", name), dd);
  dd.append(element("div", "big", value), element("div", "small", small));
  document.getElementById("totals").append(card);
}

function bytesOr(value) {
  return value === null || value === undefined ? "?" : formatBytes(value);
}

function showTotals() {
  const t = totals;
  const ci = trace.estimated && t.ci95_percent !== null ? `±${t.ci95_percent.toFixed(1)}\u00a0% (95\u00a0%), ` : "";
  const exact = trace.estimated ? "" : ", exact";
  addCard("Waste of all allocations", bytesOr(t.waste_bytes), `${t.waste_percent === null ? "?" : formatPercent(t.waste_percent)}${trace.estimated && t.waste_percent_ci95 ? `, ±${t.waste_percent_ci95.toFixed(1)} points (95\u00a0%),` : ""} of usable${trace.estimated ? ", estimated" : exact}`, "hero");
  addCard("Requested", bytesOr(t.requested_bytes), `${ci}in ${formatCount(t.allocs)} allocations`);
  addCard("Usable", bytesOr(t.usable_bytes), `the blocks they got, ${formatCount(t.frees)} freed`);
  addCard("Peak of live blocks", bytesOr(t.peak_live_bytes), t.peak_live_waste_bytes == null ? "" : `${formatEstimate(t.peak_live_waste_bytes, t.peak_live_waste_bytes_ci95)} waste in the highest snapshot`);
  addCard("Live at the end", bytesOr(t.live_usable_bytes), `${formatCount(t.live || 0)} blocks, ${t.live_waste_bytes === null ? "?" : formatEstimate(t.live_waste_bytes, t.live_waste_bytes_ci95)} waste`);
  const resident = t.resident_bytes === null ? "" : `${formatBytes(t.resident_bytes)} resident, `;
  addCard("Committed at the end", bytesOr(t.committed_bytes), `${resident}${bytesOr(t.external_waste_bytes)} free in slabs, ${bytesOr(t.held_bytes)} held, not given back`);
}

// Parts of committed memory, the key in totals at the end, and its sum over time.
const parts = [
  ["requested", "requested and live", "live_requested_bytes", "requested_byte_seconds"],
  ["waste", "waste in live blocks", "live_waste_bytes", "waste_byte_seconds"],
  ["unknown", "live, request unknown", "live_unknown_bytes", "unknown_byte_seconds"],
  ["idle", "free in slabs", "external_waste_bytes", "external_waste_byte_seconds"],
  ["held", "held, not given back", "held_bytes", "held_byte_seconds"],
  ["rest", "ends of large blocks", "span_rest_bytes", "span_rest_byte_seconds"],
];

function memoryBars() {
  const seconds = trace.duration_s;
  const bar = (name, keyOf, by) => ({ name, parts: parts.map(p => {
    const key = keyOf(p), half = totals[key + "_ci95"];
    return { className: p[0], text: p[1], bytes: (totals[key] || 0) * by, half: half && half * by };
  }) });
  const peak = report.findings.some(f => f.kind === "peak") ? "highest snapshot" : "peak";
  const bars = [bar(peak, p => "peak_" + p[2], 1), bar("average", p => p[3], seconds > 0 ? 1 / seconds : 0), bar("end", p => p[2], 1)];
  return bars.filter(b => d3.sum(b.parts, p => p.bytes) > 0);
}

function drawMemory() {
  const bars = memoryBars();
  if (!bars.length) {
    sayEmpty("memory", "No snapshot of the heap is in this trace.");
    return;
  }
  const s = surface("memory", 44 * bars.length + 34, { left: bars[0].name.length > 8 ? 108 : 64, right: 84, top: 4, bottom: 26 }, "Committed memory at the peak, on average and at the end, by use");
  const x = d3.scaleLinear([0, d3.max(bars, b => d3.sum(b.parts, p => p.bytes))], [0, s.width]);
  const y = d3.scaleBand(bars.map(b => b.name), [0, s.height]).padding(.28);
  s.inner.append("g").attr("class", "axis").attr("transform", `translate(0,${s.height})`)
    .call(d3.axisBottom(x).tickValues(byteTicks(x, Math.max(2, s.width / 110))).tickFormat(formatTick));
  for (const b of bars) {
    const row = s.inner.append("g").attr("transform", `translate(0,${y(b.name)})`);
    const sum = d3.sum(b.parts, p => p.bytes);
    let at = 0;
    row.append("text").attr("x", -10).attr("y", y.bandwidth() / 2).attr("dy", ".35em").attr("text-anchor", "end").text(b.name);
    const cells = row.selectAll("rect").data(b.parts.filter(p => p.bytes > 0)).enter().append("rect")
      .attr("class", p => p.className).attr("height", y.bandwidth()).attr("width", p => Math.max(.5, x(p.bytes)))
      .each(p => { p.at = at; at += p.bytes; }).attr("x", p => x(p.at));
    addTip(cells, p => [`${p.text}, ${b.name}`, ["bytes", formatEstimate(p.bytes, p.half)], ["of committed", percentOf(p.bytes, sum)]]);
    row.append("text").attr("x", x(sum) + 8).attr("y", y.bandwidth() / 2).attr("dy", ".35em").text(formatBytes(sum));
  }
  legend("memory", parts.filter(p => bars.some(b => b.parts.some(q => q.className === p[0] && q.bytes))).map(p => [p[0], p[1]]));
}

function showFindings() {
  const list = document.querySelector("#findings .findings");
  if (!report.findings.length) {
    list.replaceWith(element("p", "empty", "Nothing stands out."));
  }
  for (const f of report.findings) {
    const item = element("li", f.saving_bytes || f.waste_bytes ? "" : "aside"), amount = element("div", "amount"), body = element("div");
    const bytes = f.saving_bytes || f.waste_bytes;
    amount.append(bytes ? formatBytes(bytes) : "", element("small", "", f.saving_bytes ? "to save" : bytes ? "wasted" : f.kind));
    body.append(element("p", "", f.message[0].toUpperCase() + f.message.slice(1) + "."));
    if (f.advice) {
      const advice = element("p", "advice");
      advice.append(element("b", "", "Advice: "), f.advice + ".");
      body.append(advice);
    }
    item.append(amount, body);
    list.append(item);
  }
}

function showOverview() {
  showTitle();
  showNotices();
  showTotals();
  showFindings();
  addPlot("memory", drawMemory)();
}

// SPDX-License-Identifier: MIT
// Every table of the report: sorted by any column, filtered, and drawn a page at a time.

const PAGE = 50;
const tableTitles = { class: "Classes", route: "Routes", size: "Sizes", site: "Call sites", thread: "Threads", process: "Processes", time: "Time" };

// Tables whose counts come from snapshots even when sizes come from samples.
const exactCounts = ["class", "process"];

// Texts and sizes begin with the first, amounts with the largest; unknown is always last.
function compareBy(column, at, isDescending) {
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    const x = a[at], y = b[at];
    if (x === null || y === null) {
      return (x === null) - (y === null);
    }
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
  };
}

function beginsDescending(column) {
  return ["count", "bytes", "percent"].includes(column.unit);
}

function stackCell(stack) {
  const details = element("details", "stack"), summary = element("summary"), list = element("ol");
  const shown = stack.slice(0, 3).map(i => frameText(report.frames[i]));
  summary.textContent = stack.length ? shown.join(" < ") + (stack.length > 3 ? " < …" : "") : "(stack not in this trace)";
  details.append(summary);
  // The whole stack is made when it is asked for.
  details.addEventListener("toggle", () => {
    if (!list.children.length) {
      for (const i of stack) {
        const frame = report.frames[i], item = element("li");
        const place = frame.file ? ` ${frame.file}:${frame.line || "?"}` : "";
        item.append(element("b", "", frameName(frame)), place + (frame.module ? ` in ${frame.module}` : "") + (frame.inlined ? ", inlined" : ""));
        list.append(item);
      }
      details.append(list);
    }
  });
  return details;
}

function cellOf(column, value) {
  const cell = element("td");
  if (column.unit === "stack") {
    cell.className = "wide";
    cell.append(stackCell(value || []));
    return cell;
  }
  cell.textContent = formatCell(column, value);
  if (column.unit === "text") {
    cell.className = "text";
  } else if (column.unit === "bytes" && value !== null) {
    cell.title = formatCount(value) + " B";
  }
  if (column.key === "waste_bytes" || column.key === "waste_percent") {
    cell.classList.add("wasted");
  }
  if (column.key === "waste_percent" && value !== null) {
    const track = element("span", "track"), share = element("span", "share");
    share.style.width = Math.max(0, Math.min(100, value)) * .026 + "rem";
    track.append(share);
    cell.append(track);
  }
  return cell;
}

class Table {
  constructor(name, panel) {
    this.table = report.tables[name];
    this.name = name;
    this.panel = panel;
    this.rows = this.table.rows;
    this.limit = PAGE;
    this.all = false;
    this.toolbar();
    this.grid = element("table", "data");
    const scroll = element("div", "scroll");
    scroll.append(this.grid);
    this.more = element("button", "more", "");
    this.more.type = "button";
    this.more.addEventListener("click", () => { this.limit += 4 * PAGE; this.body(); });
    panel.append(scroll, this.more);
    this.draw();
  }

  toolbar() {
    const bar = element("div", "toolbar"), filter = element("input"), label = element("label"), box = element("input");
    filter.type = "search";
    filter.placeholder = "Filter rows";
    filter.setAttribute("aria-label", "Filter rows of " + tableTitles[this.name]);
    filter.addEventListener("input", () => this.filter(filter.value.trim().toLowerCase()));
    box.type = "checkbox";
    box.addEventListener("change", () => { this.all = box.checked; this.draw(); });
    label.append(box, "all columns");
    this.count = element("span");
    bar.append(filter, label, this.count);
    if (trace.estimated && this.name !== "time") {
      bar.append(estimateMark(exactCounts.includes(this.name)
        ? "requested and waste are estimated from samples; allocs, frees and live are exact" : "all sums of this table are estimated from samples"));
    }
    this.panel.append(bar);
  }

  columns() {
    return this.table.columns.map((column, at) => ({ column, at }))
      .filter(c => this.all || c.column.shown || (trace.estimated && ["ci95_percent", "waste_percent_ci95"].includes(c.column.key)));
  }

  textOf(row) {
    return this.table.columns.map((c, i) => c.unit === "stack" ? (row[i] || []).map(f => frameText(report.frames[f])).join(" ")
      : c.unit === "text" ? row[i] : c.unit === "id" || c.unit === "size" ? String(row[i]) : "").join(" ").toLowerCase();
  }

  filter(text) {
    this.rows = text ? this.table.rows.filter(r => this.textOf(r).includes(text)) : this.table.rows;
    this.limit = PAGE;
    this.sort();
    this.body();
  }

  sort() {
    if (this.by !== undefined) {
      this.rows = this.rows.slice().sort(compareBy(this.table.columns[this.by], this.by, this.descending));
    }
  }

  sortBy(at) {
    this.descending = this.by === at ? !this.descending : beginsDescending(this.table.columns[at]);
    this.by = at;
    this.sort();
    for (const head of this.grid.tHead.rows[0].cells) {
      if (Number(head.dataset.at) === at) {
        head.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      } else {
        head.removeAttribute("aria-sort");
      }
    }
    this.body();
  }

  draw() {
    this.grid.textContent = "";
    this.grid.createCaption().textContent = tableTitles[this.name];
    const head = this.grid.createTHead().insertRow();
    for (const { column, at } of this.columns()) {
      const cell = element("th", column.unit === "text" ? "text" : column.unit === "stack" ? "wide" : "");
      cell.scope = "col";
      cell.dataset.at = at;
      cell.title = column.help;
      if (column.unit === "stack") {
        cell.textContent = column.header;
      } else {
        const button = element("button", "", column.header);
        button.type = "button";
        button.addEventListener("click", () => this.sortBy(at));
        cell.append(button);
      }
      head.append(cell);
    }
    this.grid.createTBody();
    this.body();
  }

  body() {
    const body = this.grid.tBodies[0], columns = this.columns();
    body.textContent = "";
    for (const row of this.rows.slice(0, this.limit)) {
      const line = body.insertRow();
      columns.forEach(({ column, at }) => line.append(cellOf(column, row[at])));
    }
    const rest = this.rows.length - this.limit;
    this.more.hidden = rest <= 0;
    this.more.textContent = plural(Math.max(rest, 0), "more row");
    this.count.textContent = `${formatCount(this.rows.length)} of ${formatCount(this.table.rows.length)} rows`;
  }
}

const tables = {};

function openTable(name) {
  for (const panel of document.querySelectorAll("#tables .panels > div")) {
    panel.hidden = panel.dataset.name !== name;
    if (panel.dataset.name === name) {
      makeTable(panel);
    }
  }
  for (const tab of document.querySelectorAll("#tables .tabs button")) {
    tab.setAttribute("aria-selected", tab.dataset.name === name);
    tab.tabIndex = tab.dataset.name === name ? 0 : -1;
  }
}

function makeTable(panel) {
  tables[panel.dataset.name] = tables[panel.dataset.name] || new Table(panel.dataset.name, panel);
}

function turnTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tabs = Array.from(document.querySelectorAll("#tables .tabs button"));
  if (step) {
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    openTable(next.dataset.name);
    next.focus();
  }
}

function showTables() {
  const tabs = document.querySelector("#tables .tabs"), panels = document.querySelector("#tables .panels");
  for (const [name, title] of Object.entries(tableTitles)) {
    const tab = element("button", "", `${title} (${formatCount(report.tables[name].rows.length)})`), panel = element("div");
    tab.type = "button";
    tab.id = "tab-" + name;
    tab.dataset.name = panel.dataset.name = name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "panel-" + name);
    tab.addEventListener("click", () => openTable(name));
    tab.addEventListener("keydown", turnTab);
    panel.id = "panel-" + name;
    panel.dataset.title = title;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tabs.append(tab);
    panels.append(panel);
  }
  openTable(report.open_table);
}

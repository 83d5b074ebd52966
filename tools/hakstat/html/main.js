// SPDX-License-Identifier: MIT
// Draws the page, and draws it anew when its width or its colours change.

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systems = () => system.matches ? "dark" : "light";
  let chosen = null;
  setTheme(systems());
  system.addEventListener("change", () => {
    setTheme(chosen || systems());
    redrawAll();
  });
  document.getElementById("theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    setTheme(chosen);
    redrawAll();
  });
}

function redrawAll() {
  plots.forEach(redraw => redraw());
}

let knownWidth = document.documentElement.clientWidth;
addEventListener("resize", () => {
  const width = document.documentElement.clientWidth;
  if (width !== knownWidth) {
    knownWidth = width;
    requestAnimationFrame(redrawAll);
  }
});

// Paper is light, and shows every table.
addEventListener("beforeprint", () => {
  document.querySelectorAll("#tables .panels > div").forEach(makeTable);
  document.documentElement.dataset.printed = document.documentElement.dataset.theme;
  setTheme("light");
  paperWidth = PAPER;
  redrawAll();
});
addEventListener("afterprint", () => {
  setTheme(document.documentElement.dataset.printed);
  paperWidth = null;
  redrawAll();
});

startTheme();
showOverview();
showClasses();
showHeap();
showSizes();
showSites();
showTables();
document.documentElement.dataset.ready = Math.round(performance.now());

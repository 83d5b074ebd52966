#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Opens HTML reports in headless Chromium and prints what is in them as JSON.

usage: page_facts.py NAME=FILE...

It decides nothing: html.t knows what each page should hold.
"""
import base64
import json
import os
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

# Contrast as WCAG 2 defines it, of the text colours on what lies behind them.
SCRIPT = """
const all = selector => Array.from(document.querySelectorAll(selector));
const drawn = selector => all(selector).filter(e => { const b = e.getBBox(); return b.width > 0 && b.height > 0; }).length;
const probe = document.createElement("i");
document.body.append(probe);
const luminance = name => {
  probe.style.color = `var(--${name})`;
  const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
};
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)]; return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
const facts = {
  ready: Number(document.documentElement.dataset.ready),
  title: document.title,
  heading: document.getElementById("title").textContent,
  subtitle: document.getElementById("subtitle").textContent,
  notices: all("#notices .notice").map(e => e.textContent),
  totals: document.getElementById("totals").textContent,
  findings: all("#findings li").length,
  estimated: all(".est").length,
  requests: performance.getEntriesByType("resource").length,
  nodes: all("*").length,
  elements: Object.fromEntries(["script", "img", "iframe"].map(tag => [tag, all("body " + tag).length])),
  hacked: typeof window.hacked,
  text: document.body.textContent.length,
  marks: {
    memory: drawn("#memory svg rect"), bars: drawn("#classes .bar > .hit"), requested: drawn("#classes rect.requested"),
    waste: drawn("#classes rect.waste"), intervals: all("#classes .interval").length,
    heap: all("#heap svg path[class]").filter(e => e.getBBox().height > 0).map(e => e.getAttribute("class")),
    bins: drawn("#sizes .bin .hit"), edges: all("#sizes .edge").length, wasteBins: drawn("#sizes .bin .waste"),
    frames: drawn("#sites .flame [role=img]"),
  },
  frames: all("#sites .flame [role=img]").map(e => e.getAttribute("aria-label")),
  empty: all(".empty").map(e => e.textContent),
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  clipped: all("main svg").filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth).length,
  background: getComputedStyle(document.body).backgroundColor,
  contrast: Math.min(...["text", "muted", "waste-text", "accent"].map(name => contrast(name, "card")), contrast("alarm", "alarm-ground")),
};
probe.remove();
return facts;
"""


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        self.url = "file://" + os.path.abspath(path)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def send(self, command, **parameters):
        return self.browser.execute_cdp_cmd(command, parameters)

    def open(self, width=1280, is_dark=False):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.send("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.browser.get(self.url)
        return self.run(SCRIPT)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def hover(self, selector):
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        ActionChains(self.browser, duration=0).move_to_element(element).perform()
        return self.run("const tip = document.getElementById('tip'); return tip.hidden ? null : tip.innerText")

    def click(self, selector):
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", self.find(selector))
        self.find(selector).click()

    # The exact bytes of a column of the table that is open, as drawn.
    def column(self, header):
        return self.run("""
            const table = document.querySelector("#tables .panels > div:not([hidden]) table");
            const at = Array.from(table.tHead.rows[0].cells).findIndex(c => c.textContent === arguments[0]);
            return Array.from(table.tBodies[0].rows, r => Number(r.cells[at].title.replace(/[^0-9]/g, "")));
            """, header)

    def sort(self, header):
        self.run("""
            const table = document.querySelector("#tables .panels > div:not([hidden]) table");
            Array.from(table.querySelectorAll("th button")).find(b => b.textContent === arguments[0]).click();
            """, header)
        return self.column(header)

    def rows(self):
        return self.run("""
            const panel = document.querySelector("#tables .panels > div:not([hidden])");
            return [panel.querySelectorAll("tbody tr").length, panel.querySelector(".toolbar span").textContent];
            """)

    def tables(self):
        rows = {}
        for name in self.run("return Array.from(document.querySelectorAll('#tables .tabs button'), b => b.dataset.name)"):
            self.click(f"#tab-{name}")
            rows[name] = self.rows()
        return rows

    def heap_views(self):
        layers = {}
        for value in self.run("return Array.from(document.querySelector('#heap select').options, o => o.value)"):
            self.run("""
                const select = document.querySelector("#heap select");
                select.value = arguments[0];
                select.dispatchEvent(new Event("change"));
                """, value)
            layers[value] = self.run("""
                return Array.from(document.querySelectorAll("#heap svg path[class]")).filter(e => e.getBBox().height > 0).length""")
        return layers

    def use(self):
        used = {"hover": {name: self.hover(selector) for name, selector in {
            "bar": "#classes .bar", "heap": "#heap .hit", "bin": "#sizes .bin .hit", "frame": "#sites .flame [role=img]:last-child",
        }.items()}}
        used["left"] = self.hover("#tables h2")
        used["tables"] = self.tables()
        self.click("#tab-class")
        used["descending"] = self.sort("waste")
        used["ascending"] = self.sort("waste")
        used["heap"] = self.heap_views()
        self.click("#sizes [data-key=one]")
        used["stairs"] = self.run("""
            return Array.from(document.querySelectorAll("#sizes path.waste")).filter(e => e.getBBox().height > 0).length""")
        self.click("#sites .flame g:nth-child(2)")
        used["path"] = self.find("#sites .path").text
        self.click("#flame-reset")
        used["reset"] = self.run(SCRIPT)["marks"]["frames"]
        self.click("#theme")
        used["switched"] = self.run(SCRIPT)["background"]
        self.click("#theme")
        self.run("""
            addEventListener("beforeprint", () => {
              window.paper = Array.from(document.querySelectorAll("main svg"), e => e.viewBox.baseVal.width);
            });
            """)
        pdf = base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])
        used["pdf"] = {"head": pdf[:4].decode(), "pages": pdf.count(b"/Type /Page\n")}
        used["paper"] = self.run("return window.paper")
        used["printed"] = self.run("return document.querySelectorAll('#tables .panels table').length")
        return used

    def console(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]


def start():
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                     *(["--no-sandbox"] if os.getuid() == 0 else [])):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def main():
    browser = start()
    facts = {}
    try:
        for argument in sys.argv[1:]:
            name, path = argument.split("=", 1)
            page = Page(browser, path)
            facts[name] = page.open()
            if name == "full":
                facts[name]["used"] = page.use()
                for other, how in (("phone", {"width": 390}), ("dark", {"is_dark": True})):
                    facts[other] = page.open(**how)
                    facts[other]["console"] = page.console()
            if name == "hostile":
                page.click("#tab-site")
                facts[name]["stack"] = page.find("#panel-site tbody summary").text
            if name == "many":
                page.click("#tab-site")
                facts[name]["rows"] = page.rows()
            facts[name]["console"] = page.console()
    finally:
        browser.quit()
    json.dump(facts, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { columns, rows, charts, labels } = data;
  const at = Object.fromEntries(columns.map((name, k) => [name, k]));
  const value = (row, name) => row[at[name]];
  const byId = (id) => document.getElementById(id);
  const box = byId("pairs"), list = byId("rows"), count = byId("count");
  const chosen = new Map();
  let shown = [], height = 0;

  const missing = (v, other) => (v === null || v === undefined ? other : v);
  const ORDERS = {
    worst: (r) => -Math.abs(missing(value(r, "worst_margin"), 0)),
    lead: (r) => -missing(value(r, "margin"), -9),
    trail: (r) => missing(value(r, "margin"), 9),
    score: (r) => missing(value(r, "target_score"), 9),
    failed: (r) => (value(r, "status") === "failed" ? 0 : 1),
    id: null,
  };

  function keep(row) {
    const text = byId("find").value.trim().toLowerCase();
    if (text && !String(value(row, "id")).toLowerCase().includes(text)) return false;
    for (const [chart, name] of chosen) {
      const found = value(row, chart);
      const has = Array.isArray(found) ? found.includes(name) : found === name;
      if (!has) return false;
    }
    return true;
  }

  function refresh() {
    const order = ORDERS[byId("order").value];
    shown = rows.filter(keep);
    if (order) {
      const keyed = shown.map((row, k) => [order(row), k, row]);
      keyed.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      shown = keyed.map((entry) => entry[2]);
    }
    count.textContent = `${shown.length} of ${rows.length} pairs`;
    box.scrollTop = 0;
    draw();
  }

  function element(tag, kind, text) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function fixed(v) { return v === null || v === undefined ? "–" : v.toFixed(2); }

  function item(row) {
    const failed = value(row, "status") === "failed";
    const made = element("div", failed ? "pair failed" : "pair");
    const name = element("div");
    const link = value(row, "href");
    const title = link ? element("a", "", value(row, "id")) : element("span", "", value(row, "id"));
    if (link) title.href = link;
    name.append(title, element("small", "", value(row, "folder") || ""));
    made.append(name);
    if (failed) {
      const why = element("div");
      why.style.gridColumn = "2 / -1";
      why.append("failed", element("small", "", value(row, "reason")));
      made.append(why);
      return made;
    }
    const verdict = element("div", "", missing(labels[value(row, "comparison")], value(row, "comparison")));
    verdict.append(element("small", "", `worst region ${fixed(value(row, "worst_margin"))}`));
    const what = element("div", "", value(row, "distortion").map((d) => missing(labels[d], d)).join(", "));
    what.append(element("small", "", value(row, "severity").map((s) => missing(labels[s], s)).join(", ")));
    const scores = element("div", "scores", fixed(value(row, "anchor_score")));
    scores.append(element("small", "", fixed(value(row, "target_score"))));
    made.append(verdict, what, scores);
    return made;
  }

  // Only the rows in sight are in the page: ten thousand scroll as ten do.
  function draw() {
    if (!height) {
      const probe = element("div", "pair");
      list.append(probe);
      height = probe.getBoundingClientRect().height || 54;
    }
    const first = Math.max(0, Math.floor(box.scrollTop / height) - 5);
    const last = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / height) + 5);
    list.style.height = `${shown.length * height}px`;
    const made = [];
    for (let k = first; k < last; k += 1) {
      const row = item(shown[k]);
      row.style.top = `${k * height}px`;
      made.push(row);
    }
    list.replaceChildren(...made);
  }

  function bars() {
    for (const chart of charts) {
      const part = element("div");
      part.append(element("h3", "", chart.title));
      const all = element("ul", "bars");
      const most = Math.max(1, ...chart.bars.map((bar) => bar[1]));
      for (const [name, number] of chart.bars) {
        const button = element("button");
        button.type = "button";
        button.setAttribute("aria-pressed", "false");
        const track = element("span", "track"), fill = element("span", "fill");
        fill.style.width = `${(100 * number) / most}%`;
        track.append(fill);
        button.append(element("span", "name", missing(labels[name], name)), track,
          element("span", "number", String(number)));
        button.addEventListener("click", () => {
          const same = chosen.get(chart.column) === name;
          if (same) chosen.delete(chart.column); else chosen.set(chart.column, name);
          press();
          refresh();
        });
        button.dataset.column = chart.column;
        button.dataset.name = name;
        const entry = element("li");
        entry.append(button);
        all.append(entry);
      }
      part.append(all);
      byId("charts").append(part);
    }
  }

  function press() {
    for (const button of document.querySelectorAll(".bars button")) {
      const on = chosen.get(button.dataset.column) === button.dataset.name;
      button.setAttribute("aria-pressed", String(on));
    }
  }

  bars();
  byId("order").addEventListener("change", refresh);
  byId("find").addEventListener("input", refresh);
  byId("all").addEventListener("click", () => {
    chosen.clear();
    byId("find").value = "";
    press();
    refresh();
  });
  box.addEventListener("scroll", draw, { passive: true });
  window.addEventListener("resize", () => { height = 0; list.replaceChildren(); draw(); });
  refresh();
})();

// Which regions are shown: by what is wrong, how bad it is, how they compare, and by name.
const filter = { distortion: "", severity: "0", comparison: "", name: "", quiet: true, differs: false, mistakes: false };
const MANY = 12; // from this many regions on, clean and equal ones begin collapsed

function startFilters() {
  const form = byId("filters");
  if (!regions.length) return;
  const select = (label, key, options) => make("label", {}, label, make("select", { id: `filter-${key}`,
    onchange: (event) => { filter[key] = event.target.value; apply(); } },
    ...options.map(([value, text]) => make("option", { value }, text))));
  const check = (label, key) => make("label", {}, make("input", { type: "checkbox", id: `filter-${key}`, checked: filter[key],
    onchange: (event) => { filter[key] = event.target.checked; apply(); } }), label);
  const found = new Set(regions.flatMap((region) => nodesOf(region).flatMap(saidOf)));
  const present = (text, k) => (found.has(k) ? [[k, text]] : []);
  filter.quiet = regions.length >= MANY && regions.some(isQuiet);
  form.append(
    select("Distortion", "distortion", [["", "any"], ...words.distortions.flatMap(present), ...present(words.uncertain, UNCERTAIN)]),
    select("Severity", "severity", words.severities.map((text, k) => [k, k === 0 ? "any" : k === words.severities.length - 1 ? text : `${text} or worse`])),
    select("The anchor is", "comparison", [["", "any"], ...words.comparisons.map((level, k) => [k, level.text]),
      ...(regions.some(isAlone) ? [[ALONE, "in one picture alone"]] : [])]),
    make("label", {}, "Name", make("input", { type: "search", id: "filter-name", size: 12,
      oninput: (event) => { filter.name = event.target.value.trim().toLowerCase(); apply(); } })),
    regions.some(isQuiet) ? check(`Collapse ${words.distortions[words.clean]} and ${words.comparisons.find((level) => level.rank === 0).text}`, "quiet") : "",
    regions.some((region) => region.differs) ? check("Where they differ only", "differs") : "",
    data.truth ? check("Mistakes only", "mistakes") : "",
    make("span", { id: "count", role: "status" }));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  listenToTable();
  apply();
}

// The place of regions of one picture among the comparisons.
const ALONE = -1;

// What is said of a node: the positions of its distortions, or that it is uncertain.
const UNCERTAIN = -1;
const saidOf = (node) => (node.uncertain ? [UNCERTAIN] : [node.distortion, ...alsoOf(node).map(([k]) => k)]);
const worstOf = (node) => (node.uncertain ? 0 : Math.max(node.severity, ...alsoOf(node).map(([, level]) => level)));

function matches(region) {
  const { distortion, severity, comparison, name, differs, mistakes } = filter;
  return (distortion === "" || nodesOf(region).some((node) => saidOf(node).includes(Number(distortion)))) &&
    (severity === "0" || nodesOf(region).some((node) => worstOf(node) >= Number(severity))) &&
    (comparison === "" || (region.comparison ?? ALONE) === Number(comparison)) &&
    (name === "" || titleOf(region).toLowerCase().includes(name)) &&
    (!differs || region.differs !== undefined) &&
    (!mistakes || region.truth?.mistakes > 0);
}

// A filter that asks for such regions shows them.
const collapses = () => filter.quiet && filter.name === "" && filter.distortion !== String(words.clean);
const hiddenAsQuiet = () => (collapses() ? regions.filter((region) => isQuiet(region) && matches(region)).length : 0);

function apply() {
  const hide = collapses();
  state.shown = new Set([...regions.keys()].filter((k) => matches(regions[k]) && !(hide && isQuiet(regions[k]))));
  const hidden = hiddenAsQuiet();
  byId("count").textContent = `${state.shown.size} of ${regions.length} regions` + (hidden ? `, ${hidden} collapsed` : "");
  tell("shown");
}

function setQuiet(on) {
  filter.quiet = on;
  byId("filter-quiet").checked = on;
  apply();
}

function listenToTable() {
  const rows = document.querySelectorAll(".graph-table tr[data-region]");
  for (const row of rows) {
    const position = Number(row.dataset.region);
    const name = row.querySelector("th");
    // The name is a button, so that a row can be reached and chosen by keys.
    name.replaceChildren(make("button", { type: "button" }, ...name.childNodes));
    row.addEventListener("click", () => choose(position));
    link(row, position);
  }
  when("shown", () => rows.forEach((row) => { row.hidden = !state.shown.has(Number(row.dataset.region)); }));
  when("selected", () => rows.forEach((row) => row.querySelector("button").setAttribute("aria-pressed", String(Number(row.dataset.region) === state.selected))));
}

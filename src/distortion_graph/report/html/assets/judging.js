// What a person says of the regions: set in the panel, undone, listed, and saved in the report's own graph.
const judging = { open: false, blind: false, unsaved: false, history: [], name: null, form: null };
const judged = regions.map((region) => region.judged ?? null);
const UNSAID = { nodes: SIDES.map(() => ({ distortion: null, severity: null })), comparison: null };

function startJudging() {
  if (regions.every(isAlone)) return;
  const part = byId("judging");
  const button = (text, onclick) => make("button", { type: "button", onclick }, text);
  judging.name = make("input", { id: "judge", size: 12, maxlength: 60, autocomplete: "nickname", spellcheck: "false", "aria-describedby": "judge-hint",
    oninput: () => tell("judged") });
  part.append(
    make("p", { class: "detail" }, "Choose a region, and say beside the pictures what you see in it. What you leave open counts nowhere. " +
      "Who sees the model's answers first tends to agree with them: hide them where your judgement is to check the model."),
    make("div", { class: "bar" },
      make("label", {}, "Your name ", judging.name), make("span", { id: "judge-hint", class: "hint" }, "a pseudonym, kept in the file; may stay empty"),
      make("label", {}, make("input", { type: "checkbox", id: "blind", onchange: (event) => setBlind(event.target.checked) }), " Hide the model's answers")),
    make("div", { class: "bar" }, button("Next region", nextRegion), button("Undo", undo), button("Save judged graph", save),
      make("output", { id: "judging-status", role: "status" })),
    make("ol", { id: "judgements", "aria-label": "Judged regions" }));
  part.hidden = false;
  part.addEventListener("toggle", () => {
    judging.open = part.open;
    if (!part.open && judging.blind) setBlind(false);
    tell("judging");
  });
  window.addEventListener("beforeunload", (event) => { if (judging.unsaved) event.preventDefault(); });
  when("judged", () => { judging.form?.(); count(); listJudged(); judgedCells(); });
  count();
  listJudged();
}

const say = (text) => { byId("judging-status").textContent = text; };

function count(after = "") {
  const all = regions.filter((region) => !isAlone(region)).length;
  say(`${judged.filter((said) => said !== null).length} of ${all} regions judged${judging.unsaved ? ", not saved yet" : ""}${after}`);
}

// --- changes ---

function setJudgement(position, next) {
  judging.history.push([position, judged[position]]);
  judged[position] = next;
  judging.unsaved = true;
  tell("judged");
}

function judge(position, edit) {
  const said = structuredClone(judged[position] ?? UNSAID);
  edit(said);
  const empty = said.comparison === null && said.nodes.every((node) => node.distortion === null && node.severity === null);
  const at = new Date().toISOString().replace(/\.\d+/, "");
  setJudgement(position, empty ? null : { nodes: said.nodes, comparison: said.comparison, at, mine: true });
}

/** Say a label of a node; clean is a distortion and a severity, and never one alone. */
function judgeNode(node, kind, value) {
  const clean = { distortion: words.clean, severity: 0 };
  const other = kind === "distortion" ? "severity" : "distortion";
  node[kind] = value;
  if (value === clean[kind]) node[other] = clean[other];
  else if (value !== null && node[other] === clean[other]) node[other] = null;
}

function undo() {
  const last = judging.history.pop();
  if (last === undefined) { say("There is nothing to undo."); return; }
  judged[last[0]] = last[1];
  judging.unsaved = true;
  tell("judged");
  count(`; undone: ${titleOf(regions[last[0]])}`);
}

function nextRegion() {
  const order = judging.blind ? [...regions.keys()] : data.worst_first;
  const from = order.indexOf(state.selected) + 1;
  const next = [...order.slice(from), ...order.slice(0, from)].find((k) => !isAlone(regions[k]) && judged[k] === null);
  if (next === undefined) { count(": none is left"); return; }
  point(null);
  change("selected", next);
  const form = byId("panel").querySelector(".judgement");
  form.querySelector("select").focus({ preventScroll: true });
  // As much of the pictures as there is room for above the form, where it stands below them.
  for (const part of [byId("stage"), form]) part.scrollIntoView({ block: "nearest" });
}

// --- what is shown ---

function judgementForm(position) {
  const filling = [];
  const select = (label, options, value, set) => {
    const made = make("select", { "aria-label": label, onchange: () => judge(position, (said) => set(said, made.value === "" ? null : Number(made.value))) },
      make("option", { value: "" }, "–"), ...options.map((text, k) => make("option", { value: k }, text)));
    filling.push(() => { made.value = value(judged[position] ?? UNSAID) ?? ""; });
    return made;
  };
  const head = (text) => make("span", { "aria-hidden": "true" }, text);
  const row = (text, kind, options) => [head(text), ...SIDES.map((side) => select(`${text} of the ${data.sides[side].name}`, options,
    (said) => said.nodes[side][kind], (said, value) => judgeNode(said.nodes[side], kind, value)))];
  const back = make("button", { type: "button", onclick: () => { if (judged[position] !== null) setJudgement(position, null); } }, "Take it back");
  judging.form = () => filling.forEach((fill) => fill());
  judging.form();
  return make("fieldset", { class: "judgement" }, make("legend", {}, "What you see"),
    head(""), ...SIDES.map((side) => head(side === 0 ? "Anchor" : "Target")),
    ...row("Distortion", "distortion", words.distortions), ...row("Severity", "severity", words.severities),
    head("The anchor is"), make("span", { class: "wide" }, select("The anchor is", words.comparisons.map((level) => `${level.marks} ${level.text}`),
      (said) => said.comparison, (said, value) => { said.comparison = value; })), back);
}

/** For the panel: the form where the region is the chosen one, else what is said of it. */
function judgementOf(position) {
  if (isAlone(regions[position])) return [];
  if (judging.open && position === state.selected) return [judgementForm(position)];
  const lines = judgedLines(position);
  if (lines.length) return [make("p", { class: "judged" }, ...lines.flatMap((line, k) => (k ? [make("br"), line] : [line])))];
  return judging.open ? [make("p", { class: "judged" }, "Click, or press Enter, to judge it.")] : [];
}

/** Who judged and when, then a line each for anchor, target and comparison: as `report/judging.py` has them. */
function judgedLines(position) {
  const said = judged[position];
  if (said === null) return [];
  const by = said.mine ? judging.name.value.trim() : said.by;
  const labels = (node) => [...new Set([node.distortion === null ? null : words.distortions[node.distortion],
    node.severity === null ? null : words.severities[node.severity]].filter((text) => text !== null))];
  const nodes = SIDES.map((side) => [data.sides[side].name, labels(said.nodes[side])]).filter(([, texts]) => texts.length);
  const level = words.comparisons[said.comparison];
  return [`judged${by ? ` by ${by}` : ""}${said.at ? `, ${said.at.slice(0, 10)}` : ""}`, ...nodes.map(([side, texts]) => `${side}: ${texts.join(", ")}`),
    ...(level ? [`the anchor is ${level.marks} ${level.text}`] : [])];
}

/** What the model answers otherwise than the person. */
function otherwise(position) {
  const [said, region] = [judged[position], regions[position]];
  const differs = (node, kind, own) => node[kind] !== null && node[kind] !== own[kind];
  const nodes = SIDES.filter((side) => ["distortion", "severity"].some((kind) => differs(said.nodes[side], kind, region.nodes[side])));
  const level = words.comparisons[region.comparison];
  return [...nodes.map((side) => `${data.sides[side].name}: ${nodeText(region.nodes[side])}`),
    ...(differs(said, "comparison", region) ? [`the anchor is ${level.marks} ${level.text}`] : [])];
}

function listJudged() {
  const entries = [...regions.keys()].filter((k) => judged[k] !== null).map((k) => {
    const model = judging.blind ? [] : otherwise(k);
    return make("li", {}, make("button", { type: "button", onclick: () => change("selected", k) }, titleOf(regions[k])),
      ` ${judgedLines(k).slice(1).join("; ")}`, model.length ? make("span", { class: "hint" }, ` (the model: ${model.join("; ")})`) : null);
  });
  byId("judgements").replaceChildren(...entries);
  linked.forEach((elements, k) => elements.forEach((element) => element.classList.toggle("judged", judged[k] !== null)));
}

/** The column of the table, which is there from the beginning where the graph is judged. */
function judgedCells() {
  const table = document.querySelector(".graph-table");
  const rows = [...table.querySelectorAll("tr[data-region]")];
  if (!table.querySelector("td.judged")) {
    if (judged.every((said) => said === null)) return;
    table.tHead.rows[0].append(make("th", { scope: "col", rowspan: 2 }, "Judged"));
    rows.forEach((row) => row.append(make("td", { class: "judged" })));
    table.tFoot?.rows[0].append(make("td"));
  }
  rows.forEach((row) => { row.querySelector("td.judged").textContent = judgedLines(Number(row.dataset.region)).join("; "); });
}

function setBlind(on) {
  judging.blind = on;
  byId("blind").checked = on;
  document.body.classList.toggle("blind", on);
  labelMarks();
  listJudged();
  tell("judging");
}

// --- saving ---

async function save() {
  if (judged.every((said) => said === null)) { say("Nothing is judged yet."); return; }
  const packed = Uint8Array.from(atob(byId("graph-file").textContent), (sign) => sign.charCodeAt(0));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const graph = JSON.parse(text);
  const { distortions, severities, comparisons } = graph.vocabulary;
  const label = (labels, position) => (position === null ? null : labels[position]);
  const by = judging.name.value.trim() || null;
  judged.forEach((said, k) => {
    if (said !== null && !said.mine) return; // as it was
    if (isAlone(regions[k])) return;
    const [anchor, target] = said === null ? [] : said.nodes.map((node) =>
      ({ distortion: label(distortions, node.distortion), severity: label(severities, node.severity) }));
    graph.regions[k].judged = said && { by, at: said.at, anchor, target, comparison: label(comparisons.map((level) => level.label), said.comparison) };
  });
  const stems = ["anchor", "target"].map((side) => (graph[side].source ?? side).replace(/\.[^.]*$/, ""));
  const name = [...stems, "judged", ...(by ? [by] : [])].join("-").replace(/[^\p{L}\p{N}._-]+/gu, "-");
  const link = make("a", { href: URL.createObjectURL(new Blob([`${JSON.stringify(graph)}\n`], { type: "application/json" })), download: `${name}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  judging.unsaved = false;
  count(`; saved as ${link.download}`);
}

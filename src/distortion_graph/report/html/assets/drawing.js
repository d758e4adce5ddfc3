// The graph: a row per region, worst first; anchor node and attributes left, target right, the comparison
// between them, and scene relations as arcs in the margins.
const MARGIN_PX = 96;

function startDrawing() {
  if (!regions.length) return;
  byId("graph").hidden = false;
  const columns = ["region", "attributes in the anchor", "", "the anchor is", "", "attributes in the target"];
  const list = make("ol", {}, ...data.worst_first.map(rowOf));
  const quiet = make("button", { type: "button", class: "quiet", onclick: () => setQuiet(false) });
  const drawing = byId("drawing");
  drawing.append(make("div", { class: "head", "aria-hidden": "true" }, ...columns.map((text) => make("span", {}, text))), list, quiet);
  if (data.relations.length) {
    list.style.margin = `0 ${hasRelations("target") ? MARGIN_PX : 0}px 0 ${hasRelations("anchor") ? MARGIN_PX : 0}px`;
    drawing.querySelector(".head").style.margin = list.style.margin;
    byId("graph").append(make("h3", {}, "Relations"),
      make("ul", { class: "relations" }, ...data.relations.map((r) => make("li", {}, relationText(r)))));
    new ResizeObserver(() => drawArcs(list)).observe(list);
    when("active", () => markArcs(list));
    when("selected", () => markArcs(list));
  }
  when("shown", () => {
    list.querySelectorAll("li").forEach((row) => { row.hidden = !state.shown.has(Number(row.dataset.region)); });
    const hidden = hiddenAsQuiet();
    quiet.hidden = hidden === 0;
    quiet.textContent = `${hidden} ${hidden === 1 ? "region is" : "regions are"} ${words.distortions[words.clean]} in both and the same: show`;
    drawArcs(list);
  });
  roving(list, "button.row");
}

const hasRelations = (image) => data.relations.some((r) => r.image === image || r.image === "both");

function rowOf(position) {
  const region = regions[position];
  const row = make("li", { "data-region": position }, make("button", { type: "button", class: "row", tabindex: -1,
    onclick: () => choose(position) },
    make("span", { class: "title", title: region.name }, isNamed(region) ? make("bdi", {}, region.name) : `region ${region.id}`),
    attributes(region, 0), circle(region, 0),
    edge(region), circle(region, 1), attributes(region, 1)));
  link(row, position);
  return row;
}

function edge(region) {
  if (isAlone(region)) return make("span", { class: "edge alone" }, make("span", {}, aloneText(region)));
  const level = words.comparisons[region.comparison];
  return make("span", { class: `edge c${region.comparison}` }, make("span", {}, make("span", { class: "spoken" }, "the anchor is"), `${level.marks} ${level.text}`,
    wrong(region, region.truth && region.truth.comparison !== region.comparison, () => words.comparisons[region.truth.comparison].text)));
}

function circle(region, side) {
  const node = region.nodes[side];
  if (node === null) return make("span", { class: "none" }, "–");
  return make("span", { class: `node s${node.severity}${node.uncertain ? " uncertain" : ""}` }, String(region.id));
}

const chip = (level) => make("span", { class: `chip s${level}` }, words.severities[level]);

function attributes(region, side) {
  const node = region.nodes[side];
  if (node === null) return make("span", { class: `attributes${side ? " right" : ""}` });
  const truth = region.truth?.nodes[side];
  const of = (what, labels) => wrong(region, truth && truth[what] !== node[what], () => labels[truth[what]]);
  const parts = node.uncertain ? [make("i", {}, words.uncertain)] : [
    make("span", {}, words.distortions[node.distortion], of("distortion", words.distortions)),
    node.severity === 0 ? null : chip(node.severity),
    of("severity", words.severities),
    ...alsoOf(node).flatMap(([k, level]) => [make("span", {}, `+ ${words.distortions[k]}`), chip(level)])];
  const spoken = make("span", { class: "spoken" }, data.sides[side].name);
  return make("span", { class: `attributes${side ? " right" : ""}` }, spoken, ...parts, make("span", {}, scoreText(node.score)));
}

// --- relations ---

function drawArcs(list) {
  list.querySelectorAll(".arcs").forEach((old) => old.remove());
  const middle = (position) => {
    const row = list.querySelector(`li[data-region="${position}"]`);
    return row.hidden ? null : row.offsetTop + row.offsetHeight / 2;
  };
  for (const [side, image] of [[0, "anchor"], [1, "target"]]) {
    const svg = makeSvg("svg", { class: "arcs", "aria-hidden": "true" });
    svg.style[side ? "right" : "left"] = `${-MARGIN_PX}px`;
    for (const [k, relation] of data.relations.entries()) {
      const [from, to] = [middle(relation.subject), middle(relation.object)];
      if ((relation.image !== image && relation.image !== "both") || from === null || to === null) continue;
      svg.append(...arc(k, from, to, side, relation.predicate));
    }
    if (svg.children.length) list.append(svg);
  }
}

function arc(k, from, to, side, predicate) {
  const inner = side ? 2 : MARGIN_PX - 2;
  const reach = Math.min(MARGIN_PX - 14, 24 + 0.25 * Math.abs(to - from));
  const outer = side ? inner + 1.33 * reach : inner - 1.33 * reach;
  const tip = side ? 6 : -6;
  const path = makeSvg("path", { "data-relation": k, d: `M${inner} ${from}C${outer} ${from} ${outer} ${to} ${inner} ${to}` +
    `m${tip} -4L${inner} ${to}l${tip} 4` });
  const text = makeSvg("text", { x: (inner + 3 * outer) / 4, y: (from + to) / 2, "text-anchor": "middle", "dominant-baseline": "central" }, predicate);
  return [path, text];
}

function markArcs(list) {
  const near = [state.active, state.selected];
  list.querySelectorAll(".arcs path").forEach((path) => {
    const { subject, object } = data.relations[path.dataset.relation];
    path.classList.toggle("active", near.includes(subject) || near.includes(object));
  });
}

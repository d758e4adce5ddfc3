// Beside the pictures: all that the graph knows of the region pointed at, or else of the chosen one.
const MOST_LABELS = 5;

function startPanel() {
  const inside = make("div", { tabindex: 0, role: "group", "aria-label": "What the graph knows of a region" });
  byId("panel").append(inside);
  byId("panel").hidden = false;
  let shown = null;
  const show = () => {
    // Who is judging a region is not taken away from it by pointing elsewhere.
    const position = judging.open ? state.selected ?? state.active : state.active ?? state.selected;
    if (judging.form && position === shown) return;
    shown = position;
    judging.form = null;
    inside.replaceChildren(...(position === null ? invitation() : details(position)));
  };
  when("active", show);
  when("selected", show);
  when("judging", () => { judging.form = null; show(); });
  when("judged", () => { if (!judging.form) show(); });
  show();
}

function invitation() {
  return [make("h3", {}, regions.length ? "Point at a region" : "No regions"),
    make("p", {}, regions.length ? "Its probabilities and evidence are shown here; click, or press Enter, to keep it." :
      "The graph has no regions; only the pictures as wholes are compared.")];
}

function details(position) {
  const region = regions[position];
  const parts = [make("h3", {}, titleOf(region))];
  parts.push(...judgementOf(position));
  if (region.area !== null) parts.push(make("p", {}, `${(100 * region.area).toFixed(1)} % of the picture`));
  if (!region.paths.some((path) => path)) parts.push(make("p", {}, "Its mask is not in the graph."));
  if (region.shared) parts.push(make("p", {}, region.shared));
  if (!judging.blind) parts.push(...answers(region, position));
  if ((region.boxes[0] ?? region.boxes[1]) && frame !== null) {
    parts.push(make("p", {}, make("button", { type: "button", onclick: () => showRegion(position) }, "Zoom to it")));
  }
  return parts;
}

/** What the model says of a region, and what was measured. */
function answers(region, position) {
  const parts = [verdict(region)];
  if (region.differs) {
    parts.push(make("p", {}, make("strong", {}, `≠ ${region.differs.text}`), `: ${(100 * region.differs.share).toFixed(1)} % of its pixels`));
  }
  parts.push(...beliefs("", region.beliefs, words.comparisons.map((c) => c.text)));
  parts.push(...SIDES.filter((side) => region.nodes[side] !== null).map((side) => nodePart(region, side)));
  if (region.evidence) {
    const [psnr, ssim, haar, delta] = region.evidence;
    const rows = [["PSNR", psnr && `${psnr} dB`], ["SSIM", ssim], ["HaarPSI", haar], ["ΔE (CIEDE2000)", delta], ...region.metrics];
    parts.push(make("h4", {}, "Measured between them"), make("table", {}, ...rows.filter(([, value]) => value)
      .map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "number" }, value)))));
  }
  const related = data.relations.filter((r) => r.subject === position || r.object === position);
  if (related.length) parts.push(make("h4", {}, "Relations"), make("ul", {}, ...related.map((r) => make("li", {}, relationText(r)))));
  return parts;
}

function verdict(region) {
  if (isAlone(region)) return make("p", {}, make("strong", {}, aloneText(region)));
  const level = words.comparisons[region.comparison];
  return make("p", {}, make("strong", {}, `${level.marks} The anchor is ${level.text}`),
    wrong(region, region.truth && region.truth.comparison !== region.comparison, () => words.comparisons[region.truth.comparison].text));
}

const relationText = (r) =>
  `${titleOf(regions[r.subject])} ${r.predicate} ${titleOf(regions[r.object])} (${r.image === "both" ? "both pictures" : r.image})`;

function wrong(region, isWrong, text) {
  return isWrong ? make("span", { class: "wrong" }, " ✗ ", make("span", { class: "truth" }, text())) : null;
}

function nodePart(region, side) {
  const node = region.nodes[side];
  const truth = region.truth?.nodes[side];
  const of = (what, labels) => wrong(region, truth && truth[what] !== node[what], () => labels[truth[what]]);
  const opinion = node.opinion === undefined ? "" : ` · opinion ${node.opinion.toFixed(2)}`;
  const known = node.known === null ? "" : ` · known ${node.known.toFixed(2)}`;
  return make("div", {}, make("h4", {}, side === 0 ? "Anchor" : "Target"),
    make("p", {}, make("strong", {}, nodeText(node)), of("distortion", words.distortions), of("severity", words.severities)),
    make("p", {}, `score ${scoreText(node.score)}${opinion}${known}`,
      truth && truth.score !== null ? ` (true ${scoreText(truth.score)})` : null),
    ...beliefs("distortion", node.beliefs.distortion, words.distortions),
    ...beliefs("severity", node.beliefs.severity, words.severities));
}

function beliefs(name, entries, labels) {
  if (!entries.length) return [];
  const rows = entries.slice(0, MOST_LABELS).map(([position, share]) => {
    const amount = make("span", { class: "amount" });
    amount.style.width = `${100 * share}%`;
    return make("tr", {}, make("th", { scope: "row" }, labels[position]), make("td", { class: "bar-cell" }, amount),
      make("td", { class: "number" }, share.toFixed(2)));
  });
  return [make("table", { "aria-label": `Probabilities${name && ` of the ${name}`}` }, ...rows)];
}

// Both pictures: side by side, swiped, blinked or subtracted, at one zoom, with the regions on them.
const ZOOM_STEPS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const BLINK_MS = 800;
const TALLEST = 0.72; // of the window
const NARROW_PX = 640;
const GAP_PX = 8;
const DRAG_PX = 4;
const NUMBER_PX = 15; // a region smaller than this on the screen shows no number

const view = { mode: "side", fit: true, scale: 1, x: 0, y: 0, timer: null };
const stage = byId("stage");
const isBeside = () => view.mode === "side";

function startViewer() {
  if (frame === null) {
    byId("pictures").querySelector("#stage").hidden = true;
    return;
  }
  stage.append(marksLayer());
  stage.append(make("button", { type: "button", id: "handle", "aria-label": "Move the border", hidden: true, tabindex: -1 }));
  stage.setAttribute("tabindex", "0");
  stage.setAttribute("role", "group");
  stage.setAttribute("aria-label", "Pictures. Arrow keys move, plus and minus zoom, 0 shows all, 1 shows true pixels.");
  stage.dataset.colour = "severity";
  stage.style.setProperty("--split", 0.5);
  stage.style.setProperty("--gain", 1);
  viewerBar();
  legend("severity");
  listenToStage();
  new ResizeObserver(layOut).observe(stage.parentElement);
  window.addEventListener("beforeprint", () => { setMode("side"); fitAll(); });
  when("shown", () => stage.querySelectorAll(".marks g").forEach((mark) => {
    mark.style.display = state.shown.has(Number(mark.dataset.region)) || mark.classList.contains("quiet") ? "" : "none";
  }));
  roving(stage.querySelector(".marks"), "g")();
  setMode("side");
}

// --- regions on the pictures ---

function marksLayer() {
  const layer = make("div", { class: "layer marks" });
  for (const side of SIDES) {
    const [width, height] = sizeOf(side);
    const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "group",
      "aria-label": `Regions of the ${data.sides[side].name}` });
    svg.append(...leftOut(side).map(([name, d]) => makeSvg("path", { class: name, "fill-rule": "evenodd", d })));
    // Small regions lie on top of large ones, so that each can be pointed at.
    const area = (k) => (regions[k].boxes[side] ?? [0, 0, 0, 0]).slice(2).reduce((a, b) => a * b);
    for (const k of [...regions.keys()].sort((a, b) => area(b) - area(a))) {
      const mark = markOf(k, side);
      if (mark !== null) svg.append(mark);
    }
    const name = make("span", { class: "tag" }, data.sides[side].name);
    layer.append(make("div", { class: "pane" }, make("div", { class: "sheet" }, svg), name));
  }
  return layer;
}

function markOf(position, side) {
  const region = regions[position];
  const box = region.boxes[side];
  const path = region.paths[side] ?? (box && `M${box[0]} ${box[1]}h${box[2]}v${box[3]}h${-box[2]}z`);
  if (!path) return null;
  const node = region.nodes[side];
  const kind = region.paths[side] ? "" : " box";
  const classes = [node.uncertain ? "su du" : `s${node.severity} d${node.distortion}`];
  if (node.severity === 0 || node.uncertain) classes.push("unmarked-severity");
  if (!isAlone(region)) classes.push(`c${seenFrom(side, region.comparison)}`);
  if (isAlone(region) || words.comparisons[region.comparison].rank === 0) classes.push("unmarked-comparison");
  if (isQuiet(region)) classes.push("quiet");
  const mark = makeSvg("g", { class: classes.join(" "), "data-region": position, role: "button", tabindex: -1,
    "aria-label": labelOf(position, side), onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(position);
    } },
    makeSvg("path", { class: `fill${kind}`, d: path }), makeSvg("path", { class: `line${kind}`, d: path }));
  for (const [x, y, width, height] of region.differs?.boxes[side] ?? []) {
    mark.append(makeSvg("rect", { class: "place under", x, y, width, height }), makeSvg("rect", { class: "place", x, y, width, height }));
  }
  const spot = region.spots[side] ?? (box && [box[0] + box[2] / 2, box[1] + box[3] / 2]);
  if (spot) mark.append(makeSvg("text", { x: spot[0], y: spot[1], "aria-hidden": "true" }, String(region.id)));
  link(mark, position);
  return mark;
}

function labelOf(position, side) {
  const region = regions[position];
  const place = `${titleOf(region)}, ${region.alone ?? data.sides[side].name}`;
  return judging.blind ? place : `${place}: ${nodeText(region.nodes[side])}`;
}

/** Say again what the marks are: without the model's answers where they are hidden. */
function labelMarks() {
  stage.querySelectorAll(".marks svg").forEach((svg, side) => svg.querySelectorAll("g").forEach((mark) =>
    mark.setAttribute("aria-label", labelOf(Number(mark.dataset.region), side))));
}

function legend(colour) {
  const nodes = regions.flatMap(nodesOf);
  const found = new Set(nodes.filter((node) => !node.uncertain).map((node) => node.distortion));
  const entries = {
    severity: () => words.severities.map((text, k) => [text, `severity s${k}`]),
    distortion: () => words.distortions.map((text, k) => [text, `distortion d${k}`]).filter((_, k) => found.has(k)),
    comparison: () => words.comparisons.map((level, k) => [`${level.marks} ${level.text}`, `comparison c${k}`]),
    hidden: () => [],
  }[colour]();
  if (["severity", "distortion"].includes(colour) && nodes.some((node) => node.uncertain)) entries.push([words.uncertain, `${colour} su du`]);
  if (regions.some((region) => region.differs)) entries.push(["they differ here", "place"]);
  if (laid?.dimmed) entries.push([laid.dimmed, "dimmed"]);
  byId("legend").replaceChildren(...entries.map(([text, name]) =>
    make("span", {}, make("span", { class: `swatch ${name}` }), text)));
  byId("legend").hidden = colour === "hidden";
}

// --- where things are ---

function panes() {
  const width = stage.clientWidth;
  const [, , w, h] = frame;
  const upright = view.mode === "side" && (width < NARROW_PX || w > 2.2 * h);
  const across = view.mode === "side" && !upright ? (width - GAP_PX) / 2 : width;
  const tallest = Math.max(200, window.innerHeight * (upright ? TALLEST / 2 : TALLEST));
  const down = Math.round(Math.min(tallest, across * h / w));
  return { across, down, upright };
}

function layOut() {
  const { across, down, upright } = panes();
  if (!across || !down) return;
  const [x0, y0, w, h] = frame;
  stage.style.height = `${upright ? 2 * down + GAP_PX : down}px`;
  stage.querySelectorAll(".layer").forEach((layer) => layer.classList.toggle("upright", upright));
  if (view.fit) {
    view.scale = Math.min(across / w, down / h);
    [view.x, view.y] = [x0 + w / 2, y0 + h / 2];
  }
  const within = (at, start, whole, room) => {
    const half = room / view.scale / 2;
    return 2 * half >= whole ? start + whole / 2 : Math.min(Math.max(at, start + half), start + whole - half);
  };
  [view.x, view.y] = [within(view.x, x0, w, across), within(view.y, y0, h, down)];
  const [left, top] = [across / 2 - view.x * view.scale, down / 2 - view.y * view.scale];
  const own = SIDES.map((side) => pixelSize(side, isBeside()).map((length) => length * view.scale));
  stage.querySelectorAll(".sheet").forEach((sheet, k) => placeSheet(sheet, k % 2, own[k % 2], [left, top]));
  stage.style.touchAction = view.fit ? "pan-y" : "none";
  stage.querySelectorAll("svg").forEach((svg, side) => {
    svg.style.setProperty("--unit", 1 / own[side][0]);
    for (const mark of svg.querySelectorAll("g")) {
      const box = regions[mark.dataset.region].boxes[side];
      const text = mark.querySelector("text");
      if (text && box) text.style.display = Math.min(box[2], box[3]) * own[side][0] < NUMBER_PX ? "none" : "";
    }
  });
  const zooms = own.map(([length]) => `${Math.round(length * devicePixelRatio * 100)} %`);
  byId("zoom").textContent = [...new Set(laid ? zooms : zooms.slice(0, 1))].join(" · ");
}

/** A picture's own pixels, `own` wide and high on the screen, laid into the frame that begins at `from`. */
function placeSheet(sheet, side, own, from) {
  const lay = times(shifted(...from), times(stretched(view.scale, view.scale), layOf(side, isBeside())));
  // Browsers draw a box on whole pixels of the screen, which moves the pixels of a picture; a transform does not.
  const [across, down] = sheet.querySelector("img") && isFlat(lay) ? [1, 1] : own;
  sheet.style.width = `${sizeOf(side)[0] * across}px`;
  sheet.style.height = `${sizeOf(side)[1] * down}px`;
  sheet.style.transform = cssOf(times(lay, stretched(1 / across, 1 / down)));
  sheet.classList.toggle("sharp", Math.min(...own) * devicePixelRatio > 1 && !(view.mode === "difference" && isResampled));
}

function zoomTo(scale, at = [view.x, view.y]) {
  const { across, down } = panes();
  const least = Math.min(across / frame[2], down / frame[3]);
  view.fit = scale <= least;
  const kept = view.scale / Math.max(scale, least);
  view.x = at[0] + (view.x - at[0]) * kept;
  view.y = at[1] + (view.y - at[1]) * kept;
  view.scale = Math.max(scale, least);
  layOut();
}

function zoomBy(direction, at) {
  const now = view.scale * devicePixelRatio;
  const next = direction > 0
    ? ZOOM_STEPS.find((step) => step > now * 1.001) ?? ZOOM_STEPS.at(-1)
    : ZOOM_STEPS.findLast((step) => step < now * 0.999) ?? 0;
  zoomTo(next / devicePixelRatio, at);
}

function fitAll() { view.fit = true; layOut(); }

function showRegion(position) {
  const side = regions[position].boxes[0] ? 0 : 1;
  if (!regions[position].boxes[side] || frame === null) return;
  const box = around(layOf(side, isBeside()), regions[position].boxes[side]);
  const { across, down } = panes();
  const most = 0.6 * Math.min(across / box[2], down / box[3]) * devicePixelRatio;
  const step = ZOOM_STEPS.findLast((s) => s <= most) ?? ZOOM_STEPS[0];
  [view.x, view.y] = [box[0] + box[2] / 2, box[1] + box[3] / 2];
  zoomTo(step / devicePixelRatio, [view.x, view.y]);
}

// --- modes ---

function setMode(mode) {
  view.mode = mode;
  stage.dataset.mode = mode;
  stage.classList.toggle("stacked", mode !== "side");
  stage.classList.remove("flipped");
  byId("handle").hidden = mode !== "swipe";
  document.querySelectorAll("[data-for]").forEach((part) => { part.hidden = part.dataset.for !== mode; });
  blink(mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches);
  layOut();
}

const flip = () => stage.classList.toggle("flipped");

function blink(on) {
  clearInterval(view.timer);
  view.timer = on ? setInterval(flip, BLINK_MS) : null;
  byId("blinking").setAttribute("aria-pressed", String(on));
}

function setSplit(share) {
  const kept = Math.min(1, Math.max(0, share));
  stage.style.setProperty("--split", kept);
  byId("split").value = Math.round(100 * kept);
}

function viewerBar() {
  const bar = byId("viewer-bar");
  const button = (text, onclick, more = {}) => make("button", { type: "button", onclick, ...more }, text);
  const modes = [["side", "Side by side"], ["swipe", "Swipe"], ["blink", "Blink"], ["difference", "Difference"]];
  const colours = [["severity", "Severity"], ["distortion", "Distortion"], ["comparison", "Comparison"], ["outline", "Outlines"], ["hidden", "Pixels only"]];
  const gains = [["1", "× 1"], ["4", "× 4"], ["16", "× 16"]];
  const split = make("input", { type: "range", id: "split", min: 0, max: 100, value: 50, "aria-label": "Border between the pictures, per cent",
    oninput: (event) => setSplit(event.target.value / 100) });
  bar.append(
    toggleGroup("How the pictures are shown", modes, "side", setMode).element,
    make("span", { "data-for": "swipe" }, split),
    make("span", { "data-for": "blink" }, button("Blinking", () => blink(view.timer === null), { id: "blinking", "aria-pressed": "false" }),
      " ", button("Flip", () => { blink(false); flip(); })),
    make("span", { "data-for": "difference" }, toggleGroup("Gain of the difference", gains, "1",
      (gain) => stage.style.setProperty("--gain", gain)).element),
    filled(toggleGroup("What the colours of regions mean", colours, "severity", (colour) => {
      stage.dataset.colour = colour;
      legend(colour === "outline" ? "hidden" : colour);
    }).element, { class: "colours" }, []),
    make("fieldset", {}, make("legend", { class: "spoken" }, "Zoom"), button("−", () => zoomBy(-1), { "aria-label": "Zoom out" }),
      make("output", { id: "zoom", style: "align-self:center;min-width:3.4em;text-align:center" }),
      button("+", () => zoomBy(1), { "aria-label": "Zoom in" }), button("1 : 1", () => zoomTo(1 / devicePixelRatio)), button("All", fitAll)));
  bar.hidden = false;
}

// --- pointer and keys ---

function atPointer(event) {
  const pane = stage.querySelectorAll(".marks .pane")[view.mode === "side" && overSecond(event) ? 1 : 0].getBoundingClientRect();
  return [view.x + (event.clientX - pane.left - pane.width / 2) / view.scale,
    view.y + (event.clientY - pane.top - pane.height / 2) / view.scale];
}

function overSecond(event) {
  const second = stage.querySelectorAll(".marks .pane")[1].getBoundingClientRect();
  return event.clientX >= second.left && event.clientY >= second.top;
}

function listenToStage() {
  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const handle = event.target.id === "handle";
    drag = { x: event.clientX, y: event.clientY, from: [view.x, view.y], handle, moved: false,
      region: event.target.closest("[data-region]")?.dataset.region };
    if (handle) stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (drag === null) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < DRAG_PX) return;
    if (!drag.moved) stage.setPointerCapture(event.pointerId);
    drag.moved = true;
    if (drag.handle) {
      const box = stage.getBoundingClientRect();
      setSplit((event.clientX - box.left) / box.width);
      return;
    }
    [view.x, view.y] = [drag.from[0] - dx / view.scale, drag.from[1] - dy / view.scale];
    layOut();
  });
  const end = (event) => {
    if (drag && !drag.moved && event.type === "pointerup" && drag.region !== undefined) choose(Number(drag.region));
    drag = null;
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoomBy(-Math.sign(event.deltaY), atPointer(event));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const step = 40 / view.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const keys = { "+": () => zoomBy(1), "=": () => zoomBy(1), "-": () => zoomBy(-1), 0: fitAll, 1: () => zoomTo(1 / devicePixelRatio) };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key] && event.target === stage) {
      [view.x, view.y] = [view.x + moves[event.key][0], view.y + moves[event.key][1]];
      layOut();
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
}

/** How regions are drawn: by mouse, touch, pen, or with a cursor that arrow keys move. */

import { canvasSize, onScreen, placeOf, reveal, sheets, sketch } from "./desk.js";
import { fromOutline } from "./masks.js";

const NEAR = 12; // pixels of the screen within which the first point of an outline is hit
const APART = 5; // and by which points of a line that is drawn with the pointer held lie apart
let tool = "choose";
let points = [];
let cursor = null; // [x, y]
let held = null; // where the pointer went down, and how many points were drawn with it held
let told = { drawn() {}, grown() {}, picked() {}, said() {}, under() {} };

export const current = () => tool;

/** Take a tool: choose, box, polygon or grow. */
export function take(name) {
  tool = name;
  forget();
  for (const sheet of sheets) sheet.dataset.tool = name;
}

/** Leave what is under way. */
export function forget() {
  [points, held] = [[], null];
  show();
}

function show(end = cursor) {
  const boxed = tool === "box" && points.length === 1 && end;
  sketch(boxed ? corners(points[0], end) : points, cursor, Boolean(boxed));
  told.under(tool === "polygon" && points.length > 2);
}

const corners = ([x1, y1], [x2, y2]) => [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);
const inWords = ([x, y]) => `${Math.round(x)}, ${Math.round(y)}`;

/** Finish the outline that is under way. */
export function finish() {
  const outline = points;
  if (outline.length < 3) {
    told.said("An outline has three points at least.");
    return;
  }
  forget();
  told.drawn(fromOutline(outline, canvasSize()));
}

/** Do with a place what the tool does there. */
function act(at, more) {
  if (tool === "choose") told.picked(at, more);
  else if (tool === "grow") told.grown(at);
  else if (tool === "box" && points.length) boxTo(at);
  else if (tool === "polygon" && points.length > 2 && closes(at)) finish();
  else {
    points.push(at);
    told.said(`${tool === "box" ? "Corner" : `Point ${points.length}`} at ${inWords(at)}.`);
    show();
  }
}

const closes = (at) => distance(points[0], at) <= onScreen(NEAR) || distance(points[points.length - 1], at) < 1;

function boxTo(at) {
  // Whole pixels: a box by hand means the pixels that it touches by half.
  const box = corners(points[0], at).map((corner) => corner.map(Math.round));
  forget();
  told.drawn(fromOutline(box, canvasSize()));
}

function down(event) {
  if (event.button !== 0 || !event.isPrimary) return;
  const at = placeOf(event);
  if (!at) return;
  cursor = null;
  if (tool === "choose") {
    act(at, event.shiftKey || event.ctrlKey || event.metaKey);
    return;
  }
  event.preventDefault();
  event.currentTarget.setPointerCapture(event.pointerId);
  sheets[0].focus({ preventScroll: true });
  const first = points.length === 0;
  act(at);
  held = points.length ? { at, first, drawn: 0 } : null;
}

function move(event) {
  const at = placeOf(event);
  if (!at || tool === "choose") return;
  if (held && tool === "polygon" && distance(points[points.length - 1], at) >= onScreen(APART)) {
    points.push(at);
    held.drawn += 1;
  }
  sketchTo(at);
}

function sketchTo(at) {
  if (tool === "box" && points.length) sketch(corners(points[0], at), null, true);
  else if (tool === "polygon" && points.length) sketch([...points, at], null);
  else sketch([], at);
}

function up(event) {
  const was = held;
  const at = placeOf(event);
  held = null;
  if (!was || !at) return;
  if (tool === "box" && was.first && distance(was.at, at) > onScreen(4)) boxTo(at);
  // A line that was drawn with the pointer held is an outline of its own.
  if (tool === "polygon" && was.drawn > 5) finish();
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function key(event) {
  const on = canvasSize();
  if (!on || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = STEPS[event.key];
  if (step) {
    // A step is a hundredth of the picture, with shift one pixel.
    const far = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(on.width, on.height) / 100));
    const from = cursor ?? points[points.length - 1] ?? [Math.round(on.width / 2), Math.round(on.height / 2)];
    cursor = [0, 1].map((k) => Math.min(k ? on.height : on.width, Math.max(0, Math.round(from[k]) + far * step[k])));
    reveal(cursor);
    told.said(inWords(cursor));
    show();
  } else if (event.key === "Enter" || event.key === " ") {
    cursor ??= [Math.round(on.width / 2), Math.round(on.height / 2)];
    act([...cursor], event.shiftKey);
    show();
  } else if (event.key === "Escape" && points.length) {
    forget();
    told.said("The outline is dropped.");
  } else if (event.key === "Backspace" && points.length) {
    points.pop();
    show();
  } else return;
  event.preventDefault();
}

/** Listen to pointer and keys; the functions of `listeners` are told what comes of it. */
export function startTools(listeners) {
  told = { ...told, ...listeners };
  for (const sheet of sheets) {
    sheet.addEventListener("pointerdown", down);
    sheet.addEventListener("pointermove", move);
    sheet.addEventListener("pointerup", up);
    sheet.addEventListener("pointercancel", () => { held = null; show(); });
    sheet.addEventListener("pointerleave", () => { if (!held) show(); });
  }
  sheets[0].addEventListener("keydown", key);
  sheets[0].addEventListener("blur", () => { cursor = null; show(); });
}

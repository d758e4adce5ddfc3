/**
 * The desk: both pictures side by side as large as wanted, with the regions over them. What is
 * pointed at in one is shown in both. Positions are pixels of the anchor, [x, y], corners at 0.
 */

import { sampled, spot } from "./masks.js";
import { isChosen, list, size } from "./regions.js";

const LARGEST = 1100; // pixels of a side in which regions are painted; it is scaled to what is shown
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];
const SVG = "http://www.w3.org/2000/svg";
const desk = document.getElementById("desk");
const easels = Object.fromEntries(["anchor", "target"].map((side) => [side, desk.querySelector(`[data-easel="${side}"]`)]));
const part = (side, name) => easels[side].querySelector(name);
export const sheets = Object.keys(easels).map((side) => part(side, ".sheet-of"));
let zoom = 0;

/** A colour that tells a region's number apart from those near it. */
export const colourOf = (id) => `hsl(${(id * 137.5 + 20) % 360} 85% 55%)`;

/** Show the picture of a side, a File or null; comes to its end when it is there, or cannot be shown. */
export async function lay(side, file) {
  const image = part(side, "img");
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  if (!file) return;
  const url = image.src = URL.createObjectURL(file);
  // Another picture may have come meanwhile.
  await image.decode().catch(() => { if (image.src === url) image.removeAttribute("src"); });
}

export const image = (side) => part(side, "img");

/** The size of a picture that is shown, or null. */
export function shownSize(side) {
  const { naturalWidth: width, naturalHeight: height } = image(side);
  return image(side).hasAttribute("src") && width ? { width, height } : null;
}

const same = (one, other) => one && other && one.width === other.width && one.height === other.height;

/** The size of the pictures that are drawn on: the anchor's, or where it is not shown the regions'. */
export const canvasSize = () => shownSize("anchor") ?? size();

/** Whether the regions are of another size than the anchor, and so none of its. */
export const strange = () => list().length > 0 && Boolean(shownSize("anchor")) && !same(size(), shownSize("anchor"));

const takesRegions = (side) => side === "anchor" || same(canvasSize(), shownSize(side));

/** Draw everything anew. */
export function paint() {
  const on = canvasSize();
  for (const side of Object.keys(easels)) {
    const own = shownSize(side) ?? on;
    const sheet = part(side, ".sheet-of");
    easels[side].hidden = !own || (side === "target" && !shownSize("target"));
    if (!own) continue;
    sheet.style.setProperty("--aspect", own.width / own.height);
    sheet.style.setProperty("--zoom", ZOOMS[zoom]);
    sheet.classList.toggle("apart", !takesRegions(side));
    const sketch = part(side, "svg");
    sketch.setAttribute("viewBox", `0 0 ${on?.width ?? 1} ${on?.height ?? 1}`);
    if (on) paintRegions(part(side, "canvas"), takesRegions(side) && !strange() ? list() : [], on);
  }
}

function paintRegions(canvas, regions, on) {
  const scale = Math.min(1, LARGEST / Math.max(on.width, on.height));
  // A small picture is painted larger than it is, so that outlines and numbers stay fine.
  const times = scale < 1 ? scale : Math.max(1, Math.floor(LARGEST / 2 / Math.max(on.width, on.height)));
  const to = { width: Math.max(1, Math.round(on.width * times)), height: Math.max(1, Math.round(on.height * times)) };
  [canvas.width, canvas.height] = [to.width, to.height];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(to.width, to.height);
  const colours = new Uint32Array(pixels.data.buffer);
  const bits = new Uint8Array(to.width * to.height);
  for (const region of regions) {
    bits.fill(0);
    sampled(region.mask, on, to, (x, y) => { bits[y * to.width + x] = 1; });
    tint(colours, bits, to, rgbOf(region.id), isChosen(region.id));
  }
  context.putImageData(pixels, 0, 0);
  const tall = Math.max(11, Math.round(to.width / 45));
  context.font = `700 ${tall}px system-ui, sans-serif`;
  [context.textAlign, context.textBaseline, context.lineWidth] = ["center", "middle", 4];
  [context.strokeStyle, context.fillStyle, context.lineJoin] = ["#121418", "#f5f5f2", "round"];
  for (const region of regions) {
    const within = (value, full, room) => Math.min(room - tall / 1.5, Math.max(tall / 1.5, (value * room) / full));
    const [u, v] = spot(region.mask, on);
    const [x, y] = [within(u, on.width, to.width), within(v, on.height, to.height)];
    context.strokeText(region.id, x, y);
    context.fillText(region.id, x, y);
  }
}

/** Lay a colour over what is set, and a line in dark and light around it. */
function tint(colours, bits, { width, height }, [r, g, b], chosen) {
  const abgr = (red, green, blue, alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const [inside, line, dark] = [abgr(r, g, b, chosen ? 110 : 36), chosen ? abgr(255, 255, 255, 255) : abgr(r, g, b, 255), abgr(18, 20, 24, 220)];
  const edge = (x, y, far) => x < far || y < far || x >= width - far || y >= height - far
    || !bits[y * width + x - far] || !bits[y * width + x + far] || !bits[(y - far) * width + x] || !bits[(y + far) * width + x];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if (bits[y * width + x]) colours[y * width + x] = edge(x, y, 1) ? dark : edge(x, y, chosen ? 4 : 3) ? line : inside;
}

function rgbOf(id) {
  const [hue, saturation, lightness] = colourOf(id).match(/[\d.]+/g).map(Number);
  const reach = (saturation / 100) * Math.min(lightness / 100, 1 - lightness / 100);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness / 100 - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/** Show an outline under way (its points, closed or not) and where the keyboard or the pointer is. */
export function sketch(points, at, closed = false) {
  const on = canvasSize();
  for (const side of Object.keys(easels)) {
    const drawn = [];
    const add = (tag, values, kind) => {
      for (const under of [true, false]) {
        const element = document.createElementNS(SVG, tag);
        for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
        element.setAttribute("class", under ? `${kind} under` : kind);
        drawn.push(element);
      }
    };
    if (on && takesRegions(side)) {
      if (points.length) add(closed ? "polygon" : "polyline", { points: points.map((point) => point.join(",")).join(" ") }, "outline");
      if (points.length && !closed) add("circle", { cx: points[0][0], cy: points[0][1], r: onScreen(5) }, "first");
      const far = onScreen(14);
      if (at) add("path", { d: `M${at[0] - far} ${at[1]}h${2 * far}M${at[0]} ${at[1] - far}v${2 * far}` }, "cursor");
    }
    part(side, "svg").replaceChildren(...drawn);
  }
}

/** So many pixels of the screen in pixels of the picture. */
export function onScreen(pixels) {
  const shown = sheets[0].getBoundingClientRect().width || 1;
  return (pixels * (canvasSize()?.width ?? 1)) / shown;
}

/** Where an event points at, in the picture and nowhere outside; null on a target of another size. */
export function placeOf(event, inside = true) {
  const sheet = event.currentTarget;
  const on = canvasSize();
  if (!on || sheet.classList.contains("apart")) return null;
  const box = sheet.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * on.width;
  const y = ((event.clientY - box.top) / box.height) * on.height;
  return inside ? [Math.min(on.width, Math.max(0, x)), Math.min(on.height, Math.max(0, y))] : [x, y];
}

/** Show the pictures larger (1) or smaller (−1); gives whether it can go on both ways. */
export function resize(step) {
  zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + step));
  const at = Object.values(easels).map((easel) => [(easel.scrollLeft + easel.clientWidth / 2) / easel.scrollWidth, (easel.scrollTop + easel.clientHeight / 2) / easel.scrollHeight]);
  paint();
  Object.values(easels).forEach((easel, k) => easel.scrollTo(at[k][0] * easel.scrollWidth - easel.clientWidth / 2, at[k][1] * easel.scrollHeight - easel.clientHeight / 2));
  return { larger: zoom < ZOOMS.length - 1, smaller: zoom > 0 };
}

/** Scroll so that a place is seen. */
export function reveal([x, y]) {
  const on = canvasSize();
  const easel = easels.anchor;
  const place = [(x / on.width) * easel.scrollWidth, (y / on.height) * easel.scrollHeight];
  const [left, top] = [easel.scrollLeft, easel.scrollTop];
  const within = (value, from, room) => Math.min(Math.max(from, value - room + 20), Math.max(0, value - 20));
  easel.scrollTo(within(place[0], left, easel.clientWidth), within(place[1], top, easel.clientHeight));
}

// What is scrolled in one picture is scrolled in the other.
for (const easel of Object.values(easels))
  easel.addEventListener("scroll", () => {
    for (const other of Object.values(easels))
      if (other !== easel) other.scrollTo(easel.scrollLeft, easel.scrollTop);
  });

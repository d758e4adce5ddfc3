/** The editor of regions: a list with names beside the desk on which they are drawn. */

import * as desk from "./desk.js";
import { grown, prepared } from "./growing.js";
import { area, fromBits, fromBox, holds } from "./masks.js";
import * as regions from "./regions.js";
import { labelMap, maskList, nameOf, save } from "./saving.js";
import * as tools from "./tools.js";
import { complain, say } from "./work.js";

const HOW = {
  choose: "Click a region to choose it, with Shift to choose several. By keyboard: arrows move, Enter chooses.",
  box: "Drag, or click two corners. By keyboard: arrows move, with Shift by one pixel; Enter sets a corner.",
  polygon: "Click points and the first again, or draw around with the button held. By keyboard: Enter sets a point, at the same place again ends it, Backspace takes one back.",
  grow: "Click into a thing: what touches and is nearly of that colour becomes a region. By keyboard: arrows move, Enter grows.",
};
const find = (id) => document.getElementById(id);
const held = { anchor: null, target: null }; // the files that lie on the desk
let soil = null; // the anchor as growing looks at it
let seed = null; // what grew last: {at, before, into}
let names = [];

const announce = (line) => { find("said").textContent = line; };

/** Show the pictures as they are chosen now; `open` is whether regions are drawn at all. */
export async function layPictures(pictures, open) {
  find("editor").hidden = !open;
  if (!open) return;
  names = Object.values(pictures).map((file) => file?.name ?? "none");
  if (held.anchor !== pictures.anchor) [soil, seed] = [null, null];
  const fresh = Object.keys(held).filter((side) => held[side] !== pictures[side]);
  Object.assign(held, pictures);
  await Promise.all(fresh.map((side) => desk.lay(side, pictures[side])));
  tools.forget();
  refresh();
}

/** What keeps the drawn regions from being compared: {line, at}, or null. */
export function fault() {
  if (!regions.list().length) return { line: "No region is drawn: draw one, or choose other regions.", at: find("tools").querySelector("[aria-pressed=true]") };
  return desk.strange() ? { line: strangeLine(), at: find("remove-all") } : null;
}

function strangeLine() {
  const text = ({ width, height }) => `${width} × ${height}`;
  return `The regions are those of a picture of ${text(regions.size())}, the anchor has ${text(desk.shownSize("anchor"))}: undo, delete them, or take the other picture.`;
}

function drawn(mask) {
  if (desk.strange()) complain(strangeLine());
  else announce(regions.draw(mask, desk.canvasSize(), find("into").value));
}

function growFrom(at) {
  if (!desk.shownSize("anchor")) {
    complain("This browser cannot show the anchor, so nothing grows in it; boxes by numbers can be made.");
    return;
  }
  const before = regions.list();
  const into = find("into").value;
  drawn(growth(at));
  // The reach is tried out on what grew last, where that is a region of its own.
  seed = into === "new" && regions.list() !== before ? { at, id: regions.list().at(-1).id } : null;
}

function growth([x, y]) {
  const on = desk.shownSize("anchor");
  soil ??= prepared(desk.image("anchor"));
  const [u, v] = [Math.floor((x / on.width) * soil.width), Math.floor((y / on.height) * soil.height)];
  const bits = grown(soil, Math.min(soil.width - 1, u), Math.min(soil.height - 1, v), Number(find("reach").value));
  return fromBits(bits, soil, on);
}

function pick([x, y], more) {
  const on = desk.canvasSize();
  const place = Math.min(on.width - 1, Math.floor(x)) * on.height + Math.min(on.height - 1, Math.floor(y));
  const under = regions.list().filter(({ mask }) => holds(mask, place)).sort((one, other) => area(one.mask) - area(other.mask));
  if (!under.length) {
    if (!more) regions.chooseNone();
    announce("No region there.");
    return;
  }
  // A click again goes to the region below.
  const next = under[(under.findIndex(({ id }) => regions.isChosen(id)) + 1) % under.length];
  regions.choose(next.id, !more || !regions.isChosen(next.id), more);
  announce(`${next.name}.`);
}

/** Show the regions as they are. */
function refresh() {
  desk.paint();
  const all = regions.list();
  const some = regions.chosenOnes().length;
  find("strange").hidden = !desk.strange();
  find("strange").textContent = desk.strange() ? strangeLine() : "";
  find("none-yet").hidden = all.length > 0;
  find("no-picture").hidden = Boolean(desk.canvasSize());
  find("merge").disabled = some < 2;
  find("remove-chosen").disabled = some === 0;
  find("undo").disabled = !regions.canUndo();
  for (const id of ["remove-all", "save-list", "save-map"]) find(id).disabled = all.length === 0;
  const rows = find("region-list");
  const at = rows.contains(document.activeElement) ? document.activeElement.dataset.row : null;
  rows.replaceChildren(...all.map(row));
  if (at) (rows.querySelector(`[data-row="${at}"]`) ?? find("undo")).focus();
}

function row({ id, name, mask }) {
  const item = document.createElement("li");
  item.classList.toggle("chosen", regions.isChosen(id));
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: regions.isChosen(id) });
  box.setAttribute("aria-label", `Choose ${name}`);
  box.addEventListener("change", () => regions.choose(id, box.checked));
  const number = Object.assign(document.createElement("span"), { className: "number", textContent: id });
  number.style.setProperty("--of", desk.colourOf(id));
  const field = Object.assign(document.createElement("input"), { type: "text", value: name, maxLength: 80, autocomplete: "off" });
  field.setAttribute("aria-label", `Name of region ${id}`);
  field.addEventListener("change", () => regions.rename(id, field.value));
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); regions.rename(id, field.value); } });
  const of = Object.assign(document.createElement("span"), { className: "hint", textContent: regions.share(mask) });
  const gone = Object.assign(document.createElement("button"), { type: "button", textContent: "Delete" });
  gone.setAttribute("aria-label", `Delete ${name}`);
  gone.addEventListener("click", () => { regions.remove([id]); announce(`${name} is deleted.`); });
  for (const [kind, element] of Object.entries({ box, field, gone })) element.dataset.row = `${kind}-${id}`;
  item.append(box, number, field, of, gone);
  return item;
}

function byNumbers() {
  const on = desk.canvasSize();
  const inputs = ["box-x", "box-y", "box-width", "box-height"].map(find);
  const bad = inputs.find((input) => !input.checkValidity() || input.value === "");
  if (!on || bad) {
    complain(on ? `${bad.getAttribute("aria-label")}: found ${bad.value || "nothing"}, expected a number of pixels` : "There is no anchor to draw on yet.");
    (bad ?? inputs[0]).focus();
    return;
  }
  drawn(fromBox(...inputs.map((input) => Number(input.value)), on));
}

async function saveMasks(kind) {
  const all = { list: regions.list(), size: regions.size() };
  const name = nameOf(names.slice(0, 1), `masks.${kind === "map" ? "png" : "json"}`);
  try {
    const { blob, note } = kind === "map" ? await labelMap(all) : { blob: maskList(all), note: "" };
    save(blob, name);
    say(`${name} is saved. ${note}`);
  } catch (error) {
    complain(error.message);
  }
}

function takeTool(name) {
  tools.take(name);
  for (const button of document.querySelectorAll("[data-tool][aria-pressed]")) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  find("how").textContent = HOW[name];
  find("reach-of").hidden = name !== "grow";
  find("into-of").hidden = name === "choose";
}

/** Start; `changed` is told whenever regions have changed, `opened` of files with regions. */
export function startEditor(changed, opened) {
  regions.onRegions((masks) => {
    if (!find("editor").hidden) refresh();
    if (masks) changed();
  });
  tools.startTools({
    drawn, grown: growFrom, picked: pick, said: announce,
    under: (closable) => { find("finish").hidden = !closable; },
  });
  for (const button of document.querySelectorAll("[data-tool][aria-pressed]")) button.addEventListener("click", () => takeTool(button.dataset.tool));
  find("finish").addEventListener("click", tools.finish);
  find("undo").addEventListener("click", () => { regions.undo(); announce("Undone."); });
  find("merge").addEventListener("click", () => { regions.merge(); announce("They are one region now."); });
  find("remove-chosen").addEventListener("click", () => { regions.remove(regions.chosenOnes().map(({ id }) => id)); announce("Deleted."); });
  find("remove-all").addEventListener("click", () => { regions.remove(regions.list().map(({ id }) => id)); announce("All are deleted."); });
  find("reach").addEventListener("input", () => {
    if (seed && regions.list().some(({ id }) => id === seed.id)) regions.replace(seed.id, growth(seed.at), true);
  });
  for (const [id, step] of [["larger", 1], ["smaller", -1]])
    find(id).addEventListener("click", () => {
      const can = desk.resize(step);
      [find("larger").disabled, find("smaller").disabled] = [!can.larger, !can.smaller];
      tools.forget();
    });
  find("add-box").addEventListener("click", byNumbers);
  find("save-list").addEventListener("click", () => saveMasks("list"));
  find("save-map").addEventListener("click", () => saveMasks("map"));
  find("masks-file").addEventListener("change", () => {
    const files = [...find("masks-file").files];
    find("masks-file").value = "";
    if (files.length) opened(files);
  });
  find("editor").addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.target.type === "text") return;
    event.preventDefault();
    regions.undo();
    announce("Undone.");
  });
  takeTool("choose");
}

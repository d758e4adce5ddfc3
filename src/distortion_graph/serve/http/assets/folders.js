/** Folders of pictures: chosen or dropped, and matched by names, never by order. */

import { matchBy, onOptions, wantsThird } from "./options.js";

const PICTURES = /\.(png|jpe?g|jpe|jfif|webp|avif|hei[cf]|jxl|tiff?|bmp|gif|ppm|pgm|jp2)$/i;
const TITLES = { anchor: "anchors", target: "targets", reference: "originals" };
const SHOWN = 200; // names of files without a partner
const find = (id) => document.getElementById(id);
const input = (side) => document.querySelector(`input[name="${side}-folder"]`);
const hints = Object.fromEntries(Object.keys(TITLES).map((side) => [side, input(side).closest(".slot").querySelector(".hint").textContent]));
const held = {}; // by side: {name, files: [[path below the folder, File]], others}

const sides = () => Object.keys(TITLES).filter((side) => side !== "reference" || wantsThird());

function hold(side, name, found) {
  const files = found.filter(([path]) => PICTURES.test(path)).sort(([one], [other]) => (one < other ? -1 : 1));
  held[side] = { name, files, others: found.length - files.length };
  show();
}

/** All files below an entry of what was dropped, as [path, File]; `path` is that of the entry. */
async function below(entry, path = "") {
  if (entry.isFile) return [[path, await new Promise((resolve, reject) => { entry.file(resolve, reject); })]];
  const [reader, found] = [entry.createReader(), []];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return found;
    for (const one of some) found.push(...await below(one, path ? `${path}/${one.name}` : one.name));
  }
}

/** Take folders that were dropped, into a field or into those that are empty; gives what to say of it. */
export async function dropFolders(entries, over) {
  const folders = entries.filter((entry) => entry.isDirectory);
  if (!folders.length) return "These are files; expected folders. Two pictures are compared where “two pictures” is chosen.";
  const empty = sides().filter((side) => !held[side]);
  const into = over && folders.length === 1 ? [over] : folders.length > empty.length ? sides() : empty;
  for (const [k, folder] of folders.slice(0, into.length).entries()) hold(into[k], folder.name, await below(folder));
  return folders.length > into.length ? `${folders.length} folders are more than there are fields: the last ${folders.length - into.length} are left out.` : "";
}

/** What belongs together: {pairs: [{name, anchor, target, reference?}], alone, twice}; null until all folders are there. */
export function matched() {
  if (sides().some((side) => !held[side])) return null;
  const key = (path) => (matchBy() === "stem" ? path.replace(/\.[^./]*$/, "") : path).normalize("NFC");
  const twice = [];
  const tables = sides().map((side) => {
    const table = new Map();
    for (const [path, file] of held[side].files) {
      if (table.has(key(path))) twice.push(`${held[side].name}/${path}`);
      table.set(key(path), [path, file]);
    }
    return table;
  });
  const names = [...tables[0].keys()].filter((name) => tables.every((table) => table.has(name)));
  const pairs = names.map((name) => ({ name, ...Object.fromEntries(sides().map((side, k) => [side, tables[k].get(name)[1]])) }));
  const alone = sides().flatMap((side, k) => [...tables[k]].filter(([name]) => !names.includes(name)).map(([, [path]]) => `${held[side].name}/${path} (${TITLES[side]})`));
  return { pairs, alone, twice };
}

/** What keeps the folders from being compared: {line, at}, or null. */
export function fault() {
  const missing = sides().find((side) => !held[side]);
  if (missing) return { line: `The folder of ${TITLES[missing]} is missing: drop or choose one.`, at: input(missing) };
  const { pairs, twice } = matched();
  if (twice.length) return { line: `${twice[0]} has the name of another picture of its folder${twice.length > 1 ? ` (and ${twice.length - 1} more do)` : ""}: match whole names.`, at: find("match") };
  if (!pairs.length) return { line: "No name is in all folders: expected pictures of the same names below them.", at: input("target") };
  return null;
}

/** Show the folders and what belongs together. */
function show() {
  for (const side of Object.keys(TITLES)) {
    const folder = held[side];
    const slot = input(side).closest(".slot");
    slot.classList.toggle("filled", Boolean(folder));
    const count = folder && `${folder.files.length} picture${folder.files.length === 1 ? "" : "s"}`;
    const others = folder?.others && `passed over: ${folder.others} file${folder.others === 1 ? "" : "s"} of other kinds`;
    slot.querySelector(".hint").textContent = folder ? `${folder.name}: ${count}` : hints[side];
    slot.querySelector(".about span").textContent = others || "";
  }
  const found = matched();
  find("matched").textContent = found ? `${found.pairs.length} pair${found.pairs.length === 1 ? "" : "s"}, matched by name.` : "";
  find("unmatched").hidden = !found?.alone.length;
  if (!found) return;
  const { length } = found.alone;
  find("unmatched").querySelector("summary").textContent = `${length} picture${length === 1 ? " has" : "s have"} no partner and will be left out`;
  const lines = length > SHOWN ? [...found.alone.slice(0, SHOWN), `and ${length - SHOWN} more`] : found.alone;
  find("unmatched").querySelector("ul").replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

export function swapFolders() {
  [held.anchor, held.target] = [held.target, held.anchor];
  show();
}

/** Listen for folders; `changed` is told of each. */
export function startFolders(changed) {
  for (const side of Object.keys(TITLES)) {
    input(side).addEventListener("change", () => {
      const files = [...input(side).files];
      if (!files.length) return;
      hold(side, files[0].webkitRelativePath.split("/")[0], files.map((file) => [file.webkitRelativePath.split("/").slice(1).join("/"), file]));
      changed();
    });
  }
  onOptions(show);
}

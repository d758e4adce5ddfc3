/** The pictures that are to be compared: chosen, dropped or pasted; they are held by their inputs. */

import { dropFolders } from "./folders.js";
import { chooseFolders, chooseThird, ofFolders, wantsThird } from "./options.js";

const SIDES = ["anchor", "target", "reference"];
const input = (side) => document.querySelector(`input[name="${side}"]`);
const slot = (side) => input(side).closest(".slot");

export const picture = (side) => (side === "reference" && !wantsThird() ? null : input(side).files[0] ?? null);

/** The first picture that is missing: what to say and where to go; null if all are there. */
export function missing() {
  const side = SIDES.find((one) => !picture(one) && (one !== "reference" || wantsThird()));
  const name = side === "reference" ? "original" : side;
  return side ? { line: `The ${name} is missing: drop, paste or choose a picture.`, at: input(side) } : null;
}

function put(side, file) {
  const list = new DataTransfer();
  if (file) list.items.add(file);
  input(side).files = list.files;
  show(side);
}

export function swap() {
  const [anchor, target] = [picture("anchor"), picture("target")];
  put("anchor", target);
  put("target", anchor);
}

/** Put files into fields, from one on, or into those that are empty; returns what to say of it. */
function place(files, first) {
  if (files.length === 0) return "No file was found there; expected pictures.";
  if (files.length > 2 && !first) chooseThird();
  const sides = SIDES.slice(0, wantsThird() ? 3 : 2);
  const empty = sides.filter((side) => !picture(side));
  const into = first ? sides.slice(sides.indexOf(first)) : files.length > empty.length ? sides : empty;
  files.slice(0, into.length).forEach((file, k) => put(into[k], file));
  const left = files.length - into.length;
  return left > 0 ? `${files.length} files are more than there are fields: the last ${left} are left out.` : "";
}

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** Show a field as it is now: its picture, or what is to be done. */
function show(side) {
  const [place, file] = [slot(side), input(side).files[0]];
  const [image, about] = [place.querySelector("img"), place.querySelector(".about span")];
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  image.hidden = true;
  place.classList.toggle("filled", Boolean(file));
  place.querySelector(".hint").hidden = Boolean(file);
  place.querySelector("button").hidden = !file;
  about.textContent = file ? `${file.name}, ${size(file.size)}` : "";
  if (!file) return;
  image.onload = () => { about.textContent = `${file.name}, ${image.naturalWidth} × ${image.naturalHeight}, ${size(file.size)}`; };
  image.onerror = () => {
    image.hidden = true;
    about.textContent = `${file.name}, ${size(file.size)}: this browser cannot show it; the report will, if it is a picture.`;
  };
  image.src = URL.createObjectURL(file);
  image.hidden = false;
}

/** Listen for pictures; `say` is told of what does not fit, `changed` of every picture. */
export function startPictures(say, changed) {
  const placed = (files, first) => { changed(); const line = place([...files], first); if (line) say(line); };
  for (const side of SIDES) {
    input(side).addEventListener("change", () => { show(side); changed(); });
    slot(side).querySelector("button").addEventListener("click", () => { put(side, null); input(side).focus(); changed(); });
    if (input(side).files.length) show(side); // a page that is loaded again may keep its files
  }
  for (const one of document.querySelectorAll(".slot")) {
    one.addEventListener("dragover", () => one.classList.add("over"));
    for (const end of ["dragleave", "drop"]) one.addEventListener(end, () => one.classList.remove("over"));
  }
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [files, over] = [event.dataTransfer.files, event.target.closest?.(".slot")];
    // Entries are there only until the handler ends, and null where what is dropped is no file.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (ofFolders() || entries.some((entry) => entry.isDirectory)) {
      chooseFolders();
      dropFolders(entries, over?.dataset.folder).then((line) => { changed(); if (line) say(line); });
      return;
    }
    placed(files, files.length === 1 ? over?.querySelector("input").name : undefined);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) placed(event.clipboardData.files);
  });
}

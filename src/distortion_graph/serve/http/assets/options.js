/** The options of a comparison: in the form, in the fields that are sent, and in the address. */

import * as drawn from "./regions.js";
import { maskList } from "./saving.js";

const find = (id) => document.getElementById(id);
const CHOICES = ["of", "match", "regions", "rows", "columns", "original", "align", "evidence", "scale"];
const usual = Object.fromEntries(CHOICES.map((name) => [name, find(name).value]));
const listeners = [];

/** Listen for options that change, by hand or by the address. */
export const onOptions = (changed) => listeners.push(changed);

/** Show what belongs to the choices that are made. */
function reveal() {
  find("grid").hidden = find("regions").value !== "grid";
  find("inputs").hidden = ofFolders();
  find("folders").hidden = !ofFolders();
  find("match-of").hidden = !ofFolders();
  for (const third of document.querySelectorAll(".third")) third.hidden = !wantsThird();
  find("edit").hidden = areDrawn() || ofFolders();
  for (const changed of listeners) changed();
}

export const ofFolders = () => find("of").value === "folders";
export const wantsThird = () => find("original").value === "third";
export const areDrawn = () => find("regions").value === "drawn";
export const matchBy = () => find("match").value;

/** A region spec as the service reads it: a word, or a file of masks. */
function regions() {
  const chosen = find("regions").value;
  if (chosen === "grid") return `grid:${find("rows").value}x${find("columns").value}`;
  if (chosen !== "drawn") return chosen;
  const list = maskList({ list: drawn.list(), size: drawn.size() });
  return new File([list], "regions.json", { type: list.type });
}

/** The fields of the service's form but for pictures, as [name, value]. */
export function fields() {
  const known = ["align", "evidence", "scale"].map((name) => [name, find(name).value]);
  const original = find("original").value;
  return [["regions", regions()], ...known, ...(["anchor", "target"].includes(original) ? [["reference", original]] : [])];
}

/** The options in the words of the form: the regions, and what is not as usual. */
export function inWords() {
  const chosen = (name) => find(name).selectedOptions[0].text;
  const named = (name) => `${find(name).labels[0].firstChild.textContent.trim().toLowerCase()} ${chosen(name)}`;
  const others = ["original", "align", "evidence", "scale"].filter((name) => find(name).value !== usual[name]);
  return [regionsInWords(chosen("regions")), ...others.map(named)].join(", ");
}

function regionsInWords(chosen) {
  const number = drawn.list().length;
  if (areDrawn()) return `${number} region${number === 1 ? "" : "s"} drawn`;
  if (find("regions").value === "grid") return `a grid of ${find("rows").value} × ${find("columns").value}`;
  return chosen.startsWith("found") ? `regions ${chosen}` : chosen;
}

function set(name, value) {
  find(name).value = value;
  keep();
}

export const chooseThird = () => set("original", "third");
export const chooseDrawn = () => set("regions", "drawn");
export const chooseFolders = () => set("of", "folders");

/** Write the options that are not as usual into the address. */
function keep() {
  reveal();
  const grid = find("regions").value === "grid";
  const other = CHOICES.filter((name) => (grid || !["rows", "columns"].includes(name)) && find(name).value !== usual[name]);
  const said = new URLSearchParams(other.map((name) => [name, find(name).value]));
  history.replaceState(null, "", said.size ? `#${said}` : location.pathname);
}

/** Take the options from the address; returns a line on what in it is not one, or null. */
export function take() {
  const wrong = [];
  if (!location.hash.includes("=")) return null;
  const said = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  for (const name of CHOICES) find(name).value = usual[name];
  for (const [name, value] of Object.entries(said)) {
    if (CHOICES.includes(name)) find(name).value = value;
    if (!CHOICES.includes(name) || find(name).value !== value || !find(name).checkValidity()) {
      wrong.push(`${name}=${value}`);
      if (CHOICES.includes(name)) find(name).value = usual[name];
    }
  }
  reveal();
  return wrong.length ? `The address has ${wrong.join(", ")}, which is no option here; it is left out.` : null;
}

/** What is wrong with the options, or null; the element to go to is with it. */
export function fault() {
  if (ofFolders() && areDrawn())
    return { line: "What is drawn belongs to one picture, and none is to be compared: choose other regions for folders.", at: find("regions") };
  if (find("regions").value !== "grid") return null;
  const bad = ["rows", "columns"].map(find).find((input) => !input.checkValidity() || input.value === "");
  return bad ? { line: `${bad.id}: found ${bad.value || "nothing"}, expected a whole number from 1 to 50`, at: bad } : null;
}

for (const name of CHOICES) find(name).addEventListener("change", keep);

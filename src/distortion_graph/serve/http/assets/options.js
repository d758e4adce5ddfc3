/** The options of a comparison: in the form, in the fields that are sent, and in the address. */

const find = (id) => document.getElementById(id);
const CHOICES = ["regions", "rows", "columns", "original", "align", "evidence", "scale"];
const usual = Object.fromEntries(CHOICES.map((name) => [name, find(name).value]));

/** Show what belongs to the choices that are made. */
function reveal() {
  find("grid").hidden = find("regions").value !== "grid";
  find("third").hidden = find("original").value !== "third";
}

/** A region spec as the service reads it. */
const regions = () =>
  find("regions").value === "grid" ? `grid:${find("rows").value}x${find("columns").value}` : find("regions").value;

/** The fields of the service's form but for pictures, as [name, value]. */
export function fields() {
  const known = ["align", "evidence", "scale"].map((name) => [name, find(name).value]);
  const original = find("original").value;
  return [["regions", regions()], ...known, ...(["anchor", "target"].includes(original) ? [["reference", original]] : [])];
}

/** The options in a few words: those that are not as usual, and the regions. */
export const inWords = () =>
  fields().filter(([name, value]) => name === "regions" || value !== usual[name]).map(([name, value]) => `${name} ${value}`).join(", ");

export const wantsThird = () => find("original").value === "third";

export function chooseThird() {
  find("original").value = "third";
  keep();
}

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
  if (find("regions").value !== "grid") return null;
  const bad = ["rows", "columns"].map(find).find((input) => !input.checkValidity() || input.value === "");
  return bad ? { line: `${bad.id}: found ${bad.value || "nothing"}, expected a whole number from 1 to 50`, at: bad } : null;
}

for (const name of CHOICES) find(name).addEventListener("change", keep);

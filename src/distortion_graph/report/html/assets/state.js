// What the page knows: the graph's data, which region is pointed at, which one is chosen, which are
// shown. The other files draw it and tell it what the reader does.
const data = JSON.parse(document.getElementById("view").textContent);
const { words, regions } = data;
const SIDES = [0, 1]; // anchor, target

const byId = (id) => document.getElementById(id);

/** An HTML element with attributes and children; text is always text. */
function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function makeSvg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const state = { active: null, selected: null, shown: new Set(regions.keys()) };
const linked = regions.map(() => []);
const listeners = { active: [], selected: [], shown: [], judged: [], judging: [] };

const when = (what, listener) => listeners[what].push(listener);
const tell = (what) => listeners[what].forEach((listener) => listener());

function change(what, position) {
  if (state[what] === position) return;
  for (const [old, on] of [[state[what], false], [position, true]]) {
    if (old !== null) linked[old].forEach((element) => element.classList.toggle(what, on));
  }
  state[what] = position;
  tell(what);
}

const point = (position) => change("active", position);
const choose = (position) => change("selected", state.selected === position ? null : position);

/** Let an element stand for a region: pointing at it or choosing it does so everywhere. */
function link(element, position) {
  linked[position].push(element);
  element.addEventListener("pointerenter", () => point(position));
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("focusin", () => point(position));
  element.addEventListener("focusout", () => point(null));
}

/** One tab stop for many things: arrow keys move among those that are shown. */
function roving(container, selector) {
  const shown = () => [...container.querySelectorAll(selector)].filter((e) => e.getClientRects().length);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  const refresh = () => {
    const all = shown();
    const current = all.find((element) => element.tabIndex === 0) ?? all[0];
    container.querySelectorAll(selector).forEach((element) => (element.tabIndex = element === current ? 0 : -1));
  };
  container.addEventListener("keydown", (event) => {
    const all = shown();
    const at = all.indexOf(event.target.closest(selector));
    if (at < 0) return;
    let next = at + (steps[event.key] ?? 0);
    if (event.key === "Home") next = 0;
    if (event.key === "End") next = all.length - 1;
    if (next === at) return;
    event.preventDefault();
    event.stopPropagation();
    const to = all[(next + all.length) % all.length];
    all[at].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
  when("shown", refresh);
  return refresh;
}

/** The nodes that a region has: one where one picture alone has it. */
const nodesOf = (region) => region.nodes.filter((node) => node !== null);
const isAlone = (region) => region.comparison === null;
const isQuiet = (region) =>
  !region.differs && !isAlone(region) &&
  words.comparisons[region.comparison].rank === 0 &&
  region.nodes.every((node) => node.distortion === words.clean && !node.uncertain);
const scoreText = (score) => (score === null ? "–" : score.toFixed(words.scorePlaces));
const isNamed = (region) => ![`region ${region.id}`, String(region.id)].includes(region.name);
/** Its name tells nothing where the model's answers are hidden: it may be one of them. */
const titleOf = (region) => (isNamed(region) && !judging.blind ? `${region.id} ${region.name}` : `region ${region.id}`);
/** The comparison seen from a picture: mirrored for the target. */
const seenFrom = (side, position) => (side === 0 ? position : words.comparisons.length - 1 - position);

/** What stands for the comparison of a region that one picture alone has. */
const aloneText = (region) => `– ${region.alone}`;

/** Positions of distortion and severity of what a node suffers also. */
const alsoOf = (node) => node.also ?? [];

function nodeText(node) {
  if (node.uncertain) return words.uncertain;
  const what = words.distortions[node.distortion];
  const said = node.severity === 0 ? what : `${what}, ${words.severities[node.severity]}`;
  return [said, ...alsoOf(node).map(([k, level]) => `also ${words.distortions[k]}, ${words.severities[level]}`)].join("; ");
}

function toggleGroup(label, options, current, onChange) {
  const buttons = options.map(([value, text]) =>
    make("button", { type: "button", "aria-pressed": String(value === current), onclick: () => set(value) }, text));
  const set = (value) => {
    buttons.forEach((button, k) => button.setAttribute("aria-pressed", String(options[k][0] === value)));
    onChange(value);
  };
  return { element: make("fieldset", {}, make("legend", { class: "spoken" }, label), ...buttons), set };
}

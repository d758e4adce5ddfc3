/** The regions that are drawn: a list of {id, name, mask} on a picture of a size, and what they were. */

import { area, fromCounts, union, without } from "./masks.js";

const MOST_UNDONE = 100;
let state = { size: null, list: [] };
let chosen = new Set();
const before = [];
const listeners = [];

/** Listen for changes; `changed(masks)` is told whether regions changed, not only what is chosen. */
export const onRegions = (changed) => listeners.push(changed);
const tell = (masks) => { for (const changed of listeners) changed(masks); };

export const size = () => state.size;
export const list = () => state.list;
export const isChosen = (id) => chosen.has(id);
export const chosenOnes = () => state.list.filter((region) => chosen.has(region.id));
export const canUndo = () => before.length > 0;

export function choose(id, yes, others = true) {
  if (!others) chosen.clear();
  if (yes) chosen.add(id);
  else chosen.delete(id);
  tell(false);
}

export function chooseNone() {
  chosen.clear();
  tell(false);
}

function become(next, picked) {
  before.push({ state, chosen });
  if (before.length > MOST_UNDONE) before.shift();
  state = next;
  chosen = new Set(picked);
  tell(true);
}

export function undo() {
  if (!canUndo()) return;
  ({ state, chosen } = before.pop());
  tell(true);
}

const following = () => 1 + Math.max(0, ...state.list.map((region) => region.id));
const changed = (list, picked = []) => become({ ...state, list }, picked);

/**
 * Take a mask that was drawn on a picture of a size as a new region, or add it to or take it from
 * the one that is chosen (`into` is new, add or take). Returns a line on what became of it.
 */
export function draw(mask, on, into) {
  if (!mask.length) return "There is no pixel in it: nothing was changed.";
  if (into === "new" || !state.list.length) {
    const id = following();
    become({ size: on, list: [...state.list, { id, name: `region ${id}`, mask }] }, [id]);
    return `region ${id}: ${share(mask)} of the picture.`;
  }
  const [only, ...more] = chosenOnes();
  if (!only || more.length) return "Choose one region first, which this is added to or taken from.";
  const next = (into === "add" ? union : without)(only.mask, mask);
  if (!next.length) return `Nothing would be left of ${only.name}: nothing was changed.`;
  replace(only.id, next);
  return `${only.name}: ${share(next)} of the picture.`;
}

/** Give a region another mask; `again` is whether that corrects the last change instead of following it. */
export function replace(id, mask, again = false) {
  const list = state.list.map((region) => (region.id === id ? { ...region, mask } : region));
  const was = before.at(-1);
  changed(list, [id]);
  if (again) before.splice(-2, 2, was);
}

export function rename(id, name) {
  const text = name.trim() || `region ${id}`;
  if (state.list.some((region) => region.id === id && region.name !== text))
    changed(state.list.map((region) => (region.id === id ? { ...region, name: text } : region)), chosen);
}

/** Make one region of those that are chosen, with the id and the name of the first. */
export function merge() {
  const [first, ...more] = chosenOnes();
  if (!more.length) return;
  const mask = more.reduce((all, region) => union(all, region.mask), first.mask);
  const kept = state.list.filter((region) => !more.includes(region));
  changed(kept.map((region) => (region === first ? { ...first, mask } : region)), [first.id]);
}

export const remove = (ids) => changed(state.list.filter((region) => !ids.includes(region.id)));

/** The regions of a graph as they lie on its anchor: {size, list}. */
export function ofGraph(graph) {
  const found = graph.regions.filter((region) => region.anchor?.mask);
  const [height, width] = found[0]?.anchor.mask.size ?? [graph.anchor.height, graph.anchor.width];
  const list = found.map(({ id, name, anchor }) => ({ id, name, mask: fromCounts(anchor.mask.counts) }));
  return { size: { width, height }, list };
}

/** Take the regions of a graph in the place of all that are there. */
export const takeOver = (graph) => become(ofGraph(graph), []);

export const share = (mask) => {
  const of = (100 * area(mask)) / (state.size.width * state.size.height);
  return `${of < 1 ? of.toFixed(2) : of.toFixed(1)} %`;
};

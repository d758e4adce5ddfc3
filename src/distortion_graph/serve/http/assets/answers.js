/** Comparisons that were made: their reports in place, their files, and the last of them. */

import { ofGraph, takeOver } from "./regions.js";
import { labelMap, maskList, nameOf, save } from "./saving.js";
import { compared } from "./service.js";
import { busy, complain, say, work } from "./work.js";

const MOST = 10; // comparisons that are kept
const KINDS = {
  graph: { end: "graph.json" },
  report: { end: "report.html" },
  overlay: { type: "image/png", end: "overlay.png" },
  map: { type: "image/png", end: "map.png", colour: "distortion" },
  masks: { end: "masks.json", make: (graph) => ({ blob: maskList(ofGraph(graph)), note: "" }) },
  labels: { end: "masks.png", make: (graph) => labelMap(ofGraph(graph)) },
};
const find = (id) => document.getElementById(id);
const kept = []; // newest first
let shown = null;

/** A comparison: what was sent, in words, and what the page has of it. */
export function entryOf(sent, words, { blob, warnings }, more = {}) {
  const names = ["anchor", "target"].map((side) => sent.get(side).name);
  return { sent, words, names, warnings, files: { report: blob }, at: new Date(), ...more };
}

/** Keep a comparison and show it; `quietly` leaves the focus, and takes the last quiet one's place. */
export function add(entry, quietly = false) {
  if (quietly && kept[0]?.quiet) kept.shift();
  entry.quiet = quietly;
  if (!kept.includes(entry)) kept.unshift(entry);
  for (const old of kept.splice(MOST)) old.frame = null;
  show(entry, quietly);
}

export const isShown = () => shown !== null;

/**
 * The frame of a comparison's report. It has no origin, so that a report reaches nothing of this page; it may
 * save the graph that was judged in it, and ask before it is left with what was not saved.
 */
function framed(entry) {
  const frame = document.createElement("iframe");
  frame.title = `Report of ${entry.names.join(" and ")}`;
  frame.setAttribute("sandbox", "allow-scripts allow-downloads allow-modals");
  const url = URL.createObjectURL(entry.files.report);
  frame.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  frame.src = url;
  return frame;
}

/** Show a comparison. Frames stay as long as their comparisons, for what was judged in them. */
function show(entry, quietly = false) {
  shown = entry;
  entry.frame ??= framed(entry);
  for (const frame of [...find("frame").children]) if (!kept.some((other) => other.frame === frame)) frame.remove();
  if (!entry.frame.isConnected) find("frame").append(entry.frame);
  for (const frame of find("frame").children) frame.hidden = frame !== entry.frame;
  find("answer-title").textContent = `${entry.names.join(" → ")}: ${entry.words}`;
  find("warnings").replaceChildren(...entry.warnings.map((line) => item(line)));
  find("warnings").hidden = entry.warnings.length === 0;
  find("answer").hidden = false;
  list();
  if (quietly) return;
  find("answer-title").focus();
  find("answer").scrollIntoView();
}

function item(...parts) {
  const element = document.createElement("li");
  element.append(...parts);
  return element;
}

function list() {
  find("session").hidden = false;
  find("history").replaceChildren(...kept.map((entry) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${entry.names.join(" → ")}: ${entry.words} (${entry.at.toLocaleTimeString()})`;
    if (entry === shown) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => show(entry));
    return item(button);
  }));
}

/** The graph of a report, which has it inside, packed. */
async function graphIn(report) {
  const page = new DOMParser().parseFromString(await report.text(), "text/html");
  const packed = Uint8Array.from(atob(page.getElementById("graph-file").textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
}

/** A form of a comparison as a blob; what the page does not have yet is asked for. Null: it did not come. */
async function fileOf(entry, kind) {
  const { type, end, colour } = KINDS[kind];
  if (kind === "graph") entry.files.graph ??= await graphIn(entry.files.report);
  if (!entry.files[kind]) {
    if (busy()) {
      complain("Something is under way: wait for it, or cancel it, and ask again then.");
      return null;
    }
    const sent = new FormData();
    for (const [name, value] of entry.sent) sent.append(name, value);
    if (colour) sent.append("colour", colour);
    const answer = await work(`Making ${end} …`, (signal) => compared(sent, type, signal));
    if (!answer) return null;
    entry.files[kind] = answer.blob;
  }
  return entry.files[kind];
}

const graphOf = async (entry) => JSON.parse(await (await fileOf(entry, "graph")).text());

/** Save a form of the comparison that is shown. */
async function saveAs(kind) {
  const entry = shown;
  const { make, end } = KINDS[kind];
  const name = nameOf(entry.names, end);
  if (!make) {
    const file = await fileOf(entry, kind);
    if (!file) return;
    save(file, name);
    say(`${name} is saved.`);
    return;
  }
  try {
    const { blob, note } = await make(await graphOf(entry));
    save(blob, name);
    say(`${name} is saved. ${note}`);
  } catch (error) {
    complain(error.message);
  }
}

/** Listen to the buttons of the answer; `edit` is told when its regions are there to be edited. */
export function startAnswers(edit) {
  for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => saveAs(button.dataset.save));
  find("edit-shown").addEventListener("click", async () => {
    takeOver(await graphOf(shown));
    edit();
  });
  // Who went into a report may have judged in it: the next one does not take its place.
  addEventListener("blur", () => { if (shown && document.activeElement === shown.frame) shown.quiet = false; });
  find("full").hidden = !document.fullscreenEnabled;
  find("full").addEventListener("click", () => shown.frame.requestFullscreen());
}

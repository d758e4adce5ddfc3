/** The page: asks the service and shows its report, which is a page of its own, in a frame. */

import * as options from "./options.js";
import { missing, picture, startPictures, swap } from "./pictures.js";
import { compared, useToken } from "./service.js";

const MOST = 10; // comparisons that are kept
const SAVED = {
  graph: { type: "application/json", end: "graph.json" },
  report: { type: "text/html", end: "report.html" },
  overlay: { type: "image/png", end: "overlay.png" },
  map: { type: "image/png", end: "map.png", colour: "distortion" },
};
const find = (id) => document.getElementById(id);
const kept = []; // newest first
let shown = null;
let running = null;

function say(line) {
  find("status").textContent = line;
  find("problem").hidden = true;
}

function complain(line) {
  find("status").textContent = "";
  find("problem").textContent = line;
  find("problem").hidden = false;
}

/** Do some work that can be cancelled, with its time running; gives null where it did not come to an end. */
async function work(line, what) {
  running?.abort();
  const mine = running = new AbortController();
  const begun = performance.now();
  const tick = () => { find("seconds").textContent = `${Math.floor((performance.now() - begun) / 1000)} s`; };
  const timer = setInterval(tick, 1000);
  tick();
  say(line);
  find("working").hidden = false;
  try {
    return await what(mine.signal);
  } catch (error) {
    if (running !== mine) return null; // another work has begun
    if (error.name === "AbortError") say("Cancelled.");
    else refused(error);
    return null;
  } finally {
    clearInterval(timer);
    if (running === mine) {
      running = null;
      find("working").hidden = true;
    }
  }
}

function refused(error) {
  complain(error.message);
  if (error.status !== 401) return;
  find("access").hidden = false;
  find("token").focus();
}

function form() {
  const sent = new FormData();
  for (const side of ["anchor", "target", "reference"])
    if (picture(side)) sent.append(side, picture(side), picture(side).name);
  for (const [name, value] of options.fields()) sent.append(name, value);
  return sent;
}

async function compare() {
  const fault = missing() ?? options.fault();
  if (fault) {
    complain(fault.line);
    fault.at.focus();
    return;
  }
  useToken(find("token").value);
  const [sent, words] = [form(), options.inWords()];
  const answer = await work("Comparing …", (signal) => compared(sent, SAVED.report.type, signal));
  if (!answer) return;
  find("access").hidden = true;
  const names = ["anchor", "target"].map((side) => sent.get(side).name);
  const entry = { sent, words, names, warnings: answer.warnings, files: { report: answer.blob }, at: new Date() };
  kept.unshift(entry);
  kept.splice(MOST);
  say("The report is there.");
  show(entry);
}

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
function show(entry) {
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

/** Save a form of the comparison that is shown; what the page does not have yet is asked for. */
async function save(kind) {
  const entry = shown;
  const { type, end, colour } = SAVED[kind];
  if (!entry.files[kind]) {
    if (running) {
      complain("Something is under way: wait for it, or cancel it, and save then.");
      return;
    }
    const sent = new FormData();
    for (const [name, value] of entry.sent) sent.append(name, value);
    if (colour) sent.append("colour", colour);
    const answer = await work(`Making ${end} …`, (signal) => compared(sent, type, signal));
    if (!answer) return;
    entry.files[kind] = answer.blob;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(entry.files[kind]);
  link.download = `${entry.names.map((name) => name.replace(/\.[^.]*$/, "")).join("-")}-${end}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${link.download} is saved.`);
}

find("ask").addEventListener("submit", (event) => { event.preventDefault(); compare(); });
find("cancel").addEventListener("click", () => { running?.abort(); find("compare").focus(); });
find("swap").addEventListener("click", () => { swap(); say("Anchor and target are swapped."); });
for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => save(button.dataset.save));
find("full").hidden = !document.fullscreenEnabled;
find("full").addEventListener("click", () => shown.frame.requestFullscreen());
find("skip").addEventListener("click", (event) => { event.preventDefault(); find(shown ? "answer-title" : "compare").focus(); });
startPictures(complain, () => say(""));
const takeOptions = () => { const line = options.take(); if (line) complain(line); };
addEventListener("hashchange", takeOptions);
takeOptions();

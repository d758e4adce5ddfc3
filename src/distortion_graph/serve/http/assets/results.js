/** Many pairs: sent as a job, followed by its events, and a table of what came of them, worst first. */

import { add, entryOf } from "./answers.js";
import { advance, busy, complain, say, work } from "./work.js";
import { compared, dropJob, jobEvents, jobResult, model, sendJob } from "./service.js";

const [HTML, JSON_TYPE] = ["text/html", "application/json"];
const SIDES = ["anchor", "target", "reference"];
const find = (id) => document.getElementById(id);
let run = null; // {job, pairs, fields, said, words, rows}; the job is null where its results are gone

const signed = (margin) => (margin === null || margin === undefined ? "" : `${margin > 0 ? "+" : margin < 0 ? "−" : ""}${Math.abs(margin).toFixed(2)}`);
const size = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The name of a file in a job: told apart by its pair, and so short that a form takes it. */
const sentName = (side, number, file) => `${side}/${number}/${file.name.slice(-100)}`;

function jobForm({ pairs, fields }) {
  const form = new FormData();
  const listed = pairs.map((pair, k) => ({
    id: String(k + 1), ...Object.fromEntries(SIDES.filter((side) => pair[side]).map((side) => [side, sentName(side, k + 1, pair[side])])),
  }));
  const original = fields.find(([name]) => name === "reference")?.[1]; // one of the two
  form.append("pairs", JSON.stringify(original ? listed.map((pair) => ({ ...pair, reference: original })) : listed));
  form.append("reports", "true");
  for (const [name, value] of fields) if (name !== "reference") form.append(name, value);
  pairs.forEach((pair, k) => {
    for (const side of SIDES) if (pair[side]) form.append("files", pair[side], sentName(side, k + 1, pair[side]));
  });
  return form;
}

function check(pairs, most) {
  const bytes = pairs.flatMap(({ anchor, target, reference }) => [anchor, target, reference]).reduce((sum, file) => sum + (file?.size ?? 0), 0);
  if (pairs.length > most.pairs) throw new Error(`These are ${pairs.length} pairs, the server takes ${most.pairs} at once: choose smaller folders, or use the command “batch”.`);
  if (bytes > most.bytes_per_job) throw new Error(`These are ${size(bytes)}, the server takes ${size(most.bytes_per_job)} at once: choose smaller folders, or use the command “batch”.`);
}

/** Compare pairs of {name, anchor, target, reference?} with the fields of a form. */
export async function compareMany(pairs, fields, inWords) {
  const done = await work(`Sending ${pairs.length} pairs …`, async (signal) => {
    const { limits, words } = await model(signal);
    check(pairs, limits);
    if (run?.job) dropJob(run.job);
    const { id: job } = await sendJob(jobForm({ pairs, fields }), signal);
    const mine = run = { job, pairs, fields, said: inWords, words, rows: [] };
    find("access").hidden = true;
    find("many").hidden = false;
    find("many").scrollIntoView();
    draw();
    try {
      for await (const { event, data } of jobEvents(job, signal)) {
        if (event === "pair") await take(mine, data.pair, signal);
        advance(data.done, data.total);
        say(`${data.done} of ${data.total} pairs are compared${data.failed ? `, ${data.failed} of them cannot be` : ""}.`);
      }
    } finally {
      if (signal.aborted) {
        dropJob(job);
        mine.job = null;
      }
    }
    return true;
  });
  // The button that cancels is gone, and with it the focus, unless a report is read by now.
  if (done && document.activeElement === document.body) find("many-title").focus();
}

/** Put what came of a pair into the table. */
async function take(mine, { id, status, problem, warnings }, signal) {
  const row = { number: Number(id), name: mine.pairs[id - 1].name, warnings, problem: problem && `${problem.title}: ${problem.detail}` };
  if (status === "done") {
    const graph = JSON.parse(await (await jobResult(mine.job, id, JSON_TYPE, signal)).blob.text());
    const [worst] = graph.regions.filter(({ comparison }) => comparison).sort((one, other) => Math.abs(other.comparison.margin) - Math.abs(one.comparison.margin));
    Object.assign(row, { scene: graph.scene, worst, by: Math.abs(worst?.comparison.margin ?? 0) });
  }
  mine.rows.push(row);
  mine.rows.sort((one, other) => Boolean(other.problem) - Boolean(one.problem) || other.by - one.by || one.number - other.number);
  if (mine === run) draw();
}

function draw() {
  const body = find("many").querySelector("tbody");
  const at = body.contains(document.activeElement) ? document.activeElement.dataset.pair : null;
  body.replaceChildren(...run.rows.map(line));
  if (at) body.querySelector(`[data-pair="${at}"]`)?.focus();
}

function line(row) {
  const made = document.createElement("tr");
  const cell = (content, kind = "") => {
    const element = Object.assign(document.createElement("td"), { className: kind });
    element.append(content);
    made.append(element);
    return element;
  };
  if (row.problem) {
    made.append(Object.assign(document.createElement("th"), { scope: "row", textContent: row.name }));
    cell(row.problem, "what wrong").colSpan = 5;
    return made;
  }
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: row.name });
  button.dataset.pair = row.number;
  button.addEventListener("click", () => open(row));
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(button);
  made.append(head);
  const words = (label) => run.words[label] ?? label;
  const said = ({ comparison }) => `${words(comparison.label)} ${signed(comparison.margin)}`;
  const wrong = (node) => (node ? [...new Set([node.distortion.label, node.severity.label])].map(words).join(", ") : "");
  cell(row.scene ? said(row.scene) : "");
  cell(row.worst ? `${row.worst.name}: ${said(row.worst)}` : "", "what");
  cell(row.worst ? `${wrong(row.worst.anchor)} → ${wrong(row.worst.target)}` : "", "what");
  for (const side of ["anchor", "target"]) cell(row.scene?.[side].score?.toFixed(2) ?? "", "number");
  return made;
}

/** Show the report of a pair: as it was made, or made again where it is gone. */
async function open(row) {
  const { job, pairs, fields, said } = run;
  if (!row.entry) {
    const sent = new FormData();
    const pair = pairs[row.number - 1];
    for (const side of SIDES) if (pair[side]) sent.append(side, pair[side], pair[side].name);
    for (const [name, value] of fields) sent.append(name, value);
    const answer = await report(row, job, sent);
    if (!answer) return;
    row.entry = { ...entryOf(sent, said, answer), names: [row.name] };
  }
  say("The report is there.");
  add(row.entry);
}

function report({ number, name }, job, sent) {
  const kept = (signal) => jobResult(job, number, HTML, signal);
  // While other pairs are compared, what is there already can be read.
  if (busy() && job) return kept().catch((error) => { complain(error.message); return null; });
  return work(`Fetching the report of ${name} …`, async (signal) => {
    try {
      if (job) return await kept(signal);
    } catch (error) {
      if (error.status !== 404) throw error;
    }
    return compared(sent, HTML, signal);
  });
}

addEventListener("pagehide", () => { if (run?.job) dropJob(run.job); });

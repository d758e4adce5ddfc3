/** The page: asks the service and shows its report, which is a page of its own, in a frame. */

import { add, entryOf, isShown, startAnswers } from "./answers.js";
import * as editor from "./editor.js";
import * as folders from "./folders.js";
import * as options from "./options.js";
import { missing, picture, startPictures, swap } from "./pictures.js";
import { takeOver } from "./regions.js";
import { compareMany } from "./results.js";
import { compared, useToken } from "./service.js";
import { busy, cancel, complain, point, say, work } from "./work.js";

const SOON = 700; // milliseconds after the last change that regions are compared again
const find = (id) => document.getElementById(id);
let soon = 0;

function form(fields) {
  const sent = new FormData();
  for (const side of ["anchor", "target", "reference"])
    if (picture(side)) sent.append(side, picture(side), picture(side).name);
  for (const [name, value] of fields) sent.append(name, value);
  return sent;
}

/** Compare what is chosen; `quietly` leaves the focus where it is. */
async function compare(quietly = false) {
  const of = options.ofFolders() ? folders.fault : missing;
  const fault = of() ?? options.fault() ?? (options.areDrawn() && !options.ofFolders() ? editor.fault() : null);
  if (fault) {
    if (!quietly) point(fault);
    return;
  }
  useToken(find("token").value);
  const [fields, words] = [options.fields(), options.inWords()];
  if (options.ofFolders()) {
    await compareMany(folders.matched().pairs, fields, words);
    return;
  }
  const sent = form(fields);
  const answer = await work("Comparing …", (signal) => compared(sent, "text/html", signal));
  if (!answer) return;
  find("access").hidden = true;
  say("The report is there.");
  add(entryOf(sent, words, answer), quietly);
}

/** Find regions, by a word or in files, and have them edited. */
async function edit(given) {
  const fault = missing() ?? options.fault();
  if (fault) {
    point(fault);
    return;
  }
  useToken(find("token").value);
  const others = options.fields().filter(([name]) => !["regions", "evidence"].includes(name));
  const sent = form([...given.map((one) => ["regions", one]), ["evidence", "none"], ...others]);
  const answer = await work("Finding the regions …", (signal) => compared(sent, "application/json", signal));
  if (!answer) return;
  find("access").hidden = true;
  takeOver(JSON.parse(await answer.blob.text()));
  say(answer.warnings.join(" "));
  draw();
}

/** Draw regions from now on. */
async function draw() {
  options.chooseDrawn();
  find("editor-title").focus();
  find("editor").scrollIntoView();
}

const lay = () => editor.layPictures({ anchor: picture("anchor"), target: picture("target") }, options.areDrawn() && !options.ofFolders());

/** Compare soon after regions have changed, where that is wanted; what is under way is out of date then. */
function changed() {
  clearTimeout(soon);
  if (find("again").checked) soon = setTimeout(() => compare(true), SOON);
}

find("ask").addEventListener("submit", (event) => { event.preventDefault(); compare(); });
find("cancel").addEventListener("click", () => { cancel(); find("compare").focus(); });
find("swap").addEventListener("click", () => { (options.ofFolders() ? folders.swapFolders : swap)(); say("Anchor and target are swapped."); });
find("edit").addEventListener("click", () => edit(options.fields().filter(([name]) => name === "regions").map(([, value]) => value)));
find("again").addEventListener("change", changed);
find("skip").addEventListener("click", (event) => { event.preventDefault(); find(isShown() ? "answer-title" : "compare").focus(); });
startAnswers(draw);
editor.startEditor(changed, edit);
folders.startFolders(() => say(""));
startPictures(complain, () => { if (!busy()) say(""); lay(); });
options.onOptions(lay);
const takeOptions = () => { const line = options.take(); if (line) complain(line); };
addEventListener("hashchange", takeOptions);
takeOptions();
lay();

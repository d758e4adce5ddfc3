/** What the page says, and work that takes a while: one at a time, with its time, to be cancelled. */

const find = (id) => document.getElementById(id);
let running = null;

export function say(line) {
  find("status").textContent = line;
  find("problem").hidden = true;
}

export function complain(line) {
  find("status").textContent = "";
  find("problem").textContent = line;
  find("problem").hidden = false;
}

/** Say what is wrong and go to where it is: {line, at}. */
export function point(fault) {
  complain(fault.line);
  fault.at.focus();
}

export const busy = () => running !== null;
export const cancel = () => running?.abort();

/** Show how much of the work is done, of how much. */
export function advance(done, total) {
  const bar = find("working").querySelector("progress");
  [bar.max, bar.value] = [total, done];
}

/** Do some work; gives null where it did not come to an end. Work that is under way is cancelled. */
export async function work(line, what) {
  running?.abort();
  const mine = running = new AbortController();
  const begun = performance.now();
  const tick = () => { find("seconds").textContent = `${Math.floor((performance.now() - begun) / 1000)} s`; };
  const timer = setInterval(tick, 1000);
  tick();
  say(line);
  find("working").querySelector("progress").removeAttribute("value");
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

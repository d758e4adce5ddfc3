/** What is asked of the service. */

/** A refusal as one line; `status` is 0 where no answer came. */
export class Refusal extends Error {
  constructor(status, line) {
    super(line);
    this.status = status;
  }
}

/** Kept by this variable alone, and so until the page is closed. */
let token = "";
export const useToken = (text) => { token = text.trim(); };

/** Ask for something, as `fetch` does; throws Refusal, or AbortError where the signal says so. */
async function ask(path, { headers, ...request } = {}) {
  if (/[^!-~]/.test(token)) throw new Refusal(401, "The token has characters that no token has; expected it as it was printed.");
  const answer = await unbroken(() => fetch(path, { ...request, headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) } }));
  if (answer.ok) return answer;
  throw new Refusal(answer.status, await lineOf(answer));
}

/** What some talk with the server gives; throws Refusal where the connection breaks. */
async function unbroken(talk) {
  try {
    return await talk();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "No answer came: the server cannot be reached, or a picture has changed since it was chosen.");
  }
}

/** An answer of a media type as {blob, warnings}. */
async function taken(answer, type) {
  const warnings = JSON.parse(answer.headers.get("Distortion-Graph-Warnings") ?? "[]");
  return { blob: new Blob([await unbroken(() => answer.blob())], { type }), warnings };
}

/** Compare the pictures of a form. */
export async function compared(form, type, signal) {
  return taken(await ask("v1/compare", { method: "POST", body: form, headers: { Accept: type }, signal }), type);
}

/** What the service says of its model and of what it takes at most. */
export const model = async (signal) => (await ask("v1/model", { signal })).json();

/** Send a job; gives its state. */
export const sendJob = async (form, signal) => (await ask("v1/jobs", { method: "POST", body: form, signal })).json();

/** The events of a job as {event, data}, to the last one; a connection that ends before is made anew. */
export async function* jobEvents(id, signal) {
  let last = "";
  for (;;) {
    const answer = await ask(`v1/jobs/${id}/events`, { signal, headers: last ? { "Last-Event-ID": last } : {} });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let done = false; !done;) {
      let value;
      ({ done, value } = await reader.read().catch((error) => {
        if (error.name === "AbortError") throw error;
        return { done: true };
      }));
      const blocks = (text + (value ?? "")).replaceAll("\r\n", "\n").split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const lines = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
        if (!lines.data) continue;
        last = lines.id ?? last;
        yield { event: lines.event, data: JSON.parse(lines.data) };
        if (lines.event === "end") return;
      }
    }
    await new Promise((resolve) => { setTimeout(resolve, 500); });
  }
}

/** What came of a pair of a job, as {blob, warnings}. */
export async function jobResult(id, pair, type, signal) {
  return taken(await ask(`v1/jobs/${id}/results/${pair}`, { headers: { Accept: type }, signal }), type);
}

/** Let a job and its results go; also while the page is closed. */
export const dropJob = (id) => ask(`v1/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => null);

/** The line of a problem, or what there is where the answer is none (that of a proxy). */
async function lineOf(answer) {
  if (!answer.headers.get("Content-Type")?.startsWith("application/problem+json"))
    return `The server answered ${answer.status} ${answer.statusText}.`;
  const { title, detail } = await answer.json();
  return `${title}: ${detail}`;
}

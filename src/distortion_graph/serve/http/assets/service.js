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

/**
 * Compare the pictures of a form. Gives the answer of a media type as {blob, warnings}; throws
 * Refusal, or AbortError where `signal` says so.
 */
export async function compared(form, type, signal) {
  if (/[^!-~]/.test(token)) throw new Refusal(401, "The token has characters that no token has; expected it as it was printed.");
  const headers = { Accept: type, ...(token && { Authorization: `Bearer ${token}` }) };
  let answer;
  try {
    answer = await fetch("v1/compare", { method: "POST", body: form, headers, signal });
    if (answer.ok) {
      const warnings = JSON.parse(answer.headers.get("Distortion-Graph-Warnings") ?? "[]");
      return { blob: new Blob([await answer.blob()], { type }), warnings };
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "No answer came: the server cannot be reached, or a picture has changed since it was chosen.");
  }
  throw new Refusal(answer.status, await lineOf(answer));
}

/** The line of a problem, or what there is where the answer is none (that of a proxy). */
async function lineOf(answer) {
  if (!answer.headers.get("Content-Type")?.startsWith("application/problem+json"))
    return `The server answered ${answer.status} ${answer.statusText}.`;
  const { title, detail } = await answer.json();
  return `${title}: ${detail}`;
}

/**
 * Masks as runs: an Int32Array of [first, after, first, after, …], ascending and apart. A position
 * is x · height + y, column by column, as in COCO's run lengths. Sizes are {width, height}.
 */

export function area(mask) {
  let pixels = 0;
  for (let k = 0; k < mask.length; k += 2) pixels += mask[k + 1] - mask[k];
  return pixels;
}

export function holds(mask, position) {
  let [low, high] = [0, mask.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mask[2 * middle + 1] <= position) low = middle + 1;
    else high = middle;
  }
  return low < mask.length / 2 && mask[2 * low] <= position;
}

/** The positions that `wanted(in a, in b)` says yes to; no to (false, false). */
function combined(a, b, wanted) {
  const found = [];
  let [i, j, open] = [0, 0, false];
  while (i < a.length || j < b.length) {
    const at = Math.min(i < a.length ? a[i] : Infinity, j < b.length ? b[j] : Infinity);
    if (a[i] === at) i += 1;
    if (b[j] === at) j += 1;
    if (wanted(i % 2 === 1, j % 2 === 1) === open) continue;
    found.push(at);
    open = !open;
  }
  return Int32Array.from(found);
}

export const union = (a, b) => combined(a, b, (one, other) => one || other);
export const without = (a, b) => combined(a, b, (one, other) => one && !other);

/** COCO's run lengths, the first of background, as numbers or as its compressed text. */
export function fromCounts(counts) {
  const lengths = typeof counts === "string" ? unpacked(counts) : counts;
  const found = [];
  let at = 0;
  lengths.forEach((length, k) => {
    if (k % 2 && length) found.push(at, at + length);
    at += length;
  });
  return Int32Array.from(found);
}

export function toCounts(mask, { width, height }) {
  const counts = [];
  let at = 0;
  for (const border of mask) {
    counts.push(border - at);
    at = border;
  }
  return [...counts, width * height - at];
}

/** COCO's text: six bits a letter, five of them of a number, its difference to the one before last. */
function unpacked(text) {
  const lengths = [];
  for (let k = 0; k < text.length;) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const bits = text.charCodeAt(k) - 48;
      value |= (bits & 31) << shift;
      more = (bits & 32) !== 0;
      shift += 5;
      k += 1;
      if (!more && bits & 16) value |= -1 << shift;
    }
    lengths.push(lengths.length > 2 ? value + lengths[lengths.length - 2] : value);
  }
  return lengths;
}

/**
 * What an outline of [x, y] goes around in any sense (nonzero); a pixel is inside where its centre
 * is. What lies outside of the picture is cut off.
 */
export function fromOutline(points, { width, height }) {
  const xs = points.map(([x]) => x);
  const first = Math.max(0, Math.ceil(Math.min(...xs) - 0.5));
  const last = Math.min(width - 1, Math.ceil(Math.max(...xs) - 0.5) - 1);
  const row = (y) => Math.min(height, Math.max(0, Math.ceil(y - 0.5)));
  const runs = [];
  for (let x = first; x <= last; x += 1) {
    const crossings = [];
    points.forEach(([x1, y1], k) => {
      const [x2, y2] = points[(k + 1) % points.length];
      const middle = x + 0.5;
      if (x1 <= middle === x2 <= middle) return;
      crossings.push([y1 + ((middle - x1) / (x2 - x1)) * (y2 - y1), x1 < x2 ? 1 : -1]);
    });
    crossings.sort((one, other) => one[0] - other[0]);
    let around = 0;
    crossings.forEach(([y, turn], k) => {
      around += turn;
      if (around) push(runs, x * height + row(y), x * height + row(crossings[k + 1][0]));
    });
  }
  return Int32Array.from(runs);
}

export const fromBox = (x, y, width, height, size) =>
  fromOutline([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], size);

function push(runs, first, after) {
  if (first >= after) return;
  if (runs.length && runs[runs.length - 1] === first) runs[runs.length - 1] = after;
  else runs.push(first, after);
}

/** The mask of an array of 0 and 1, row by row, of one size, at another size. */
export function fromBits(bits, from, to) {
  const rows = Array.from({ length: to.height }, (_, y) => Math.floor(((y + 0.5) * from.height) / to.height));
  const runs = [];
  for (let x = 0; x < to.width; x += 1) {
    const column = Math.floor(((x + 0.5) * from.width) / to.width);
    let begun = -1;
    for (let y = 0; y <= to.height; y += 1) {
      const is = y < to.height && bits[rows[y] * from.width + column];
      if (is && begun < 0) begun = y;
      if (!is && begun >= 0) {
        push(runs, x * to.height + begun, x * to.height + y);
        begun = -1;
      }
    }
  }
  return Int32Array.from(runs);
}

/** Call `paint(x, y)` for each pixel of a smaller picture whose middle lies in the mask. */
export function sampled(mask, from, to, paint) {
  let k = 0;
  for (let x = 0; x < to.width; x += 1) {
    const begin = Math.floor(((x + 0.5) * from.width) / to.width) * from.height;
    while (k && mask[k] > begin) k -= 2; // two columns may be of the same one
    while (k < mask.length && mask[k + 1] <= begin) k += 2;
    for (let run = k; run < mask.length && mask[run] < begin + from.height; run += 2) {
      const row = (position) => Math.ceil(((position - begin) * to.height) / from.height - 0.5);
      const top = Math.max(0, row(mask[run]));
      const end = Math.min(to.height, row(mask[run + 1]));
      for (let y = top; y < end; y += 1) paint(x, y);
    }
  }
}

/** A place deep in the mask for its number: the middle of the longest run of its middle columns. */
export function spot(mask, { height }) {
  const half = area(mask) / 2;
  let [seen, k] = [0, 0];
  while (seen + mask[k + 1] - mask[k] < half) {
    seen += mask[k + 1] - mask[k];
    k += 2;
  }
  const x = Math.floor(mask[k] / height);
  let best = [0, 0];
  for (; k >= 0 && mask[k + 1] > x * height; k -= 2);
  for (k = Math.max(0, k); k < mask.length && mask[k] < (x + 1) * height; k += 2) {
    const [top, end] = [Math.max(mask[k], x * height), Math.min(mask[k + 1], (x + 1) * height)];
    if (end - top > best[1] - best[0]) best = [top, end];
  }
  return [x + 0.5, (best[0] + best[1]) / 2 - x * height];
}

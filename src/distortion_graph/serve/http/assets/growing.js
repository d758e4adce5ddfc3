/** A region from one point of a picture: what touches it and is nearly of its colour. */

const LARGEST = 1600; // pixels of a side in which it is looked for; larger pictures are reduced
const SPECK = 0.004; // holes and specks below this share of the region are filled

/** An image as it is looked at: a little blurred, so that noise parts nothing. {width, height, data} */
export function prepared(image) {
  const scale = Math.min(1, LARGEST / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.filter = "blur(1px)";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/**
 * Grow from a pixel of a prepared picture over neighbours none of whose channels is further than
 * `reach` (of 255) from its own mean of 3 × 3. Gives 0 and 1 row by row.
 */
export function grown({ width, height, data }, x, y, reach) {
  const mean = [0, 1, 2].map((channel) => around(x, y, width, height)
    .reduce((sum, at, _, all) => sum + data[4 * at + channel] / all.length, 0));
  const alike = (at) => Math.abs(data[4 * at] - mean[0]) <= reach
    && Math.abs(data[4 * at + 1] - mean[1]) <= reach && Math.abs(data[4 * at + 2] - mean[2]) <= reach;
  const bits = new Uint8Array(width * height);
  const pixels = spread(y * width + x, width, height, (at) => !bits[at] && (bits[at] = alike(at) || at === y * width + x ? 1 : 0));
  fillSpecks(bits, width, height, SPECK * pixels.length);
  return bits;
}

function around(x, y, width, height) {
  const found = [];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v += 1)
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u += 1) found.push(v * width + u);
  return found;
}

/** All pixels that are reached from one by pixels that `take(at)` takes, which it does once each. */
function spread(from, width, height, take) {
  const found = [];
  const offer = (at) => { if (take(at)) found.push(at); };
  offer(from);
  for (let k = 0; k < found.length; k += 1) {
    const at = found[k];
    const x = at % width;
    if (x > 0) offer(at - 1);
    if (x < width - 1) offer(at + 1);
    if (at >= width) offer(at - width);
    if (at < width * (height - 1)) offer(at + width);
  }
  return found;
}

function fillSpecks(bits, width, height, most) {
  const seen = Uint8Array.from(bits);
  for (let at = 0; at < bits.length; at += 1) {
    if (seen[at]) continue;
    const piece = spread(at, width, height, (one) => !seen[one] && (seen[one] = 1));
    if (piece.length <= most) for (const one of piece) bits[one] = 1;
  }
}

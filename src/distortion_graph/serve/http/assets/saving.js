/** Files that are saved: of any bytes, and regions as the command's `--regions` reads them. */

import { area, toCounts, union } from "./masks.js";

/** Have the browser save a blob under a name. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What a file is called that is made of others: their names without endings, and its own. */
export const nameOf = (names, end) => `${names.map((name) => name.replace(/\.[^.]*$/, "").replaceAll("/", "-")).join("-")}-${end}`;

/** Regions as a list of COCO's run lengths with ids and names. */
export function maskList({ list, size }) {
  const entries = list.map(({ id, name, mask }) => ({
    name, segmentation: { size: [size.height, size.width], counts: toCounts(mask, size) }, attributes: { region_id: id, name },
  }));
  return new Blob([JSON.stringify(entries)], { type: "application/json" });
}

/**
 * Regions as a label map, a PNG of one channel whose values are their ids, 0 where there is none:
 * {blob, note}. The note says what such a map cannot hold, or is empty.
 */
export async function labelMap({ list, size }) {
  const more = list.some(({ id }) => id === 0) ? 1 : 0;
  const most = Math.max(...list.map(({ id }) => id)) + more;
  if (most > 65535) throw new Error(`A label map holds ids up to 65535, found ${most}: save the list of masks (JSON).`);
  const bytes = most > 255 ? 2 : 1;
  const line = size.width * bytes + 1; // each begins with its filter, 0: none
  const pixels = new Uint8Array(line * size.height);
  for (const { id, mask } of list)
    for (let k = 0; k < mask.length; k += 2)
      for (let at = mask[k]; at < mask[k + 1]; at += 1) {
        const place = (at % size.height) * line + 1 + Math.floor(at / size.height) * bytes;
        if (bytes === 2) pixels[place] = (id + more) >> 8;
        pixels[place + bytes - 1] = (id + more) & 255;
      }
  const labelled = list.reduce((all, { mask }) => union(all, mask), new Int32Array());
  const notes = [
    more && "0 means nothing in a label map, so each value is the region's id and 1",
    list.reduce((sum, { mask }) => sum + area(mask), 0) > area(labelled) && "where regions overlap the later one counts",
  ].filter(Boolean);
  return { blob: await png(pixels, size, 8 * bytes), note: notes.length ? `Note: ${notes.join("; ")}.` : "" };
}

/** A PNG of grey values, as its lines with their filters are given. */
async function png(lines, { width, height }, depth) {
  const packed = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, depth);
  const parts = [["IHDR", new Uint8Array(head.buffer)], ["IDAT", new Uint8Array(await new Response(packed).arrayBuffer())], ["IEND", new Uint8Array()]];
  const mark = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return new Blob([mark, ...parts.map(([kind, data]) => chunk(kind, data))], { type: "image/png" });
}

function chunk(kind, data) {
  const made = new Uint8Array(data.length + 12);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set(new TextEncoder().encode(kind), 4);
  made.set(data, 8);
  view.setUint32(data.length + 8, checksum(made.subarray(4, data.length + 8)));
  return made;
}

/** CRC-32 as PNG has it (ISO 3309). */
function checksum(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}

// Where both pictures lie in one frame, whose unit is a pixel of the anchor.
const { laid } = data;
const sizes = data.sides.map((side) => side.size); // [width, height]
const anySize = sizes[0] ?? sizes[1];
const sizeOf = (side) => sizes[side] ?? anySize;

/** Where a place lies by a matrix of 3 × 3. */
function moved(matrix, [x, y]) {
  const [across, down, depth] = matrix.map((row) => row[0] * x + row[1] * y + row[2]);
  return [across / depth, down / depth];
}

const times = (one, other) => one.map((row) => SIDES.concat(2).map((k) => row.reduce((sum, value, j) => sum + value * other[j][k], 0)));
const stretched = (across, down) => [[across, 0, 0], [0, down, 0], [0, 0, 1]];
const shifted = (x, y) => [[1, 0, x], [0, 1, y], [0, 0, 1]];

/** [x, y, width, height] around a box that is moved. */
function around(matrix, [x, y, width, height]) {
  const corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]].map((place) => moved(matrix, place));
  return boundsOf(corners);
}

function boundsOf(places) {
  const [left, top] = SIDES.map((axis) => Math.min(...places.map((place) => place[axis])));
  const [right, bottom] = SIDES.map((axis) => Math.max(...places.map((place) => place[axis])));
  return [left, top, right - left, bottom - top];
}

/** How a picture's own pixels lie in the frame; side by side it keeps its shape. */
function layOf(side, isBeside) {
  if (side === 0 || data.cropped) return stretched(1, 1);
  if (laid) return isBeside ? laid.beside : laid.onto;
  const [own, anchor] = [sizeOf(1), sizeOf(0)];
  return stretched(anchor[0] / own[0], anchor[1] / own[1]);
}

// Pixels of two pictures that lie between each other: their squares would differ where the pictures do not.
const isResampled = laid !== null && !laid.onto.every((row, k) => row.every((value, j) => (j < 2 ? value === Number(j === k) : Number.isInteger(value))));

// All that either picture covers, [x, y, width, height]; null where no size is known.
const frame = anySize && boundsOf([[0, false], [1, false], [1, true]].flatMap(([side, isBeside]) => {
  const [x, y, width, height] = around(layOf(side, isBeside), [0, 0, ...sizeOf(side)]);
  return [[x, y], [x + width, y + height]];
}));

/** How many pixels of the frame a picture's own pixel is wide and high, in its middle. */
function pixelSize(side, isBeside) {
  const [middle, matrix] = [sizeOf(side).map((length) => length / 2), layOf(side, isBeside)];
  const to = moved(matrix, middle);
  const depth = matrix[2][0] * middle[0] + matrix[2][1] * middle[1] + matrix[2][2];
  // Along an axis of the picture, the derivative of `moved`.
  return SIDES.map((axis) => Math.hypot(...SIDES.map((k) => (matrix[k][axis] - to[k] * matrix[2][axis]) / depth)));
}

/** Whether a matrix keeps parallel lines. */
const isFlat = (matrix) => SIDES.every((k) => Math.abs(matrix[2][k] / matrix[2][2]) < 1e-9);

function cssOf(matrix) {
  const [[a, c, e], [b, d, f], [g, h, i]] = matrix.map((row) => row.map((value) => value / matrix[2][2]));
  return isFlat(matrix) ? `matrix(${[a, b, c, d, e, f]})` : `matrix3d(${[a, b, 0, g, c, d, 0, h, 0, 0, 1, 0, e, f, 0, i]})`;
}

const ring = (places) => `M${places.map((place) => place.join(" ")).join("L")}z`;
const rectangle = ([x, y, width, height]) => `M${x} ${y}h${width}v${height}h${-width}z`;

/** What of a picture was not compared, as SVG paths in its own pixels: [class, path]. */
function leftOut(side) {
  const own = rectangle([0, 0, ...sizeOf(side)]);
  if (data.cropped && sizes.every((size) => size !== null)) {
    const common = sizes[0].map((length, k) => Math.min(length, sizes[1][k]));
    return [["outside", rectangle(frame) + rectangle([0, 0, ...common])]];
  }
  if (!laid) return [];
  const rest = [["outside", own + (laid.shown[side].length ? ring(laid.shown[side]) : "")]];
  return side === 0 ? [...rest, ["beyond", rectangle(frame) + own]] : rest;
}

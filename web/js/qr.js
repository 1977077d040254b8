/**
 * A QR code (ISO/IEC 18004) for a link, so that a phone takes it from the screen. Bytes only, error correction level L,
 * versions 1 to 5: up to 106 bytes in one block, which is more than our links have. Pure.
 */

/** By version: data codewords, error correction codewords, where the alignment pattern sits (0: nowhere). */
const VERSIONS = [
  { data: 19, correction: 7, alignment: 0 },
  { data: 34, correction: 10, alignment: 18 },
  { data: 55, correction: 15, alignment: 22 },
  { data: 80, correction: 20, alignment: 26 },
  { data: 108, correction: 26, alignment: 30 },
];
/** Mode, length: what stands before the bytes, in bits. */
const HEAD_BITS = 12;
const BYTE_MODE = 0b0100;
const PADDING = [0xec, 0x11];
/** x^8 + x^4 + x^3 + x^2 + 1, of the field that Reed and Solomon calculate in. */
const FIELD = 0x11d;
const LEVEL_L = 0b01;
const FORMAT_GENERATOR = 0x537;
const FORMAT_MASK = 0x5412;

/** @type {((row: number, column: number) => boolean)[]} */
const MASKS = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/**
 * @param {string} text
 * @param {number} [mask] absent: the one that is easiest to read
 * @returns {boolean[][] | null} rows of modules, true is dark; null if the text is too long
 */
export function qrCode(text, mask) {
  const bytes = new TextEncoder().encode(text);
  const number = VERSIONS.findIndex(({ data }) => bytes.length * 8 + HEAD_BITS <= data * 8);
  if (number < 0) return null;
  const version = VERSIONS[number];
  const codewords = dataCodewords(bytes, version.data);
  const all = [...codewords, ...correctionOf(codewords, version.correction)];
  const candidates = (mask === undefined ? MASKS.map((_, index) => index) : [mask]).map((index) => draw(all, number, version.alignment, index));
  return candidates.reduce((best, one) => (penalty(one) < penalty(best) ? one : best));
}

/**
 * @param {Uint8Array} bytes
 * @param {number} length
 */
function dataCodewords(bytes, length) {
  const bits = [...bitsOf(BYTE_MODE, 4), ...bitsOf(bytes.length, 8), ...[...bytes].flatMap((byte) => bitsOf(byte, 8))];
  for (let end = 0; end < 4 && bits.length < length * 8; end += 1) bits.push(0);
  while (bits.length % 8 !== 0) bits.push(0);
  const words = [];
  for (let at = 0; at < bits.length; at += 8) words.push(bits.slice(at, at + 8).reduce((word, bit) => word * 2 + bit, 0));
  for (let pad = 0; words.length < length; pad += 1) words.push(PADDING[pad % 2]);
  return words;
}

/** @param {number} value @param {number} count */
function bitsOf(value, count) {
  return Array.from({ length: count }, (_, index) => (value >> (count - 1 - index)) & 1);
}

/** @param {number} a @param {number} b */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ (product >> 7 ? FIELD : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

/**
 * Reed-Solomon: the rest of the division by the generator polynomial.
 *
 * @param {number[]} data
 * @param {number} count
 */
function correctionOf(data, count) {
  let generator = [1];
  for (let power = 0, root = 1; power < count; power += 1, root = multiply(root, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((value, index) => value ^ (index > 0 ? multiply(generator[index - 1], root) : 0));
  }
  const rest = Array(count).fill(0);
  for (const word of data) {
    const factor = word ^ rest.shift();
    rest.push(0);
    for (let index = 0; index < count; index += 1) rest[index] ^= multiply(generator[index + 1], factor);
  }
  return rest;
}

/**
 * @param {number[]} codewords
 * @param {number} number the version's, from 0
 * @param {number} alignment
 * @param {number} mask
 */
function draw(codewords, number, alignment, mask) {
  const size = 21 + 4 * number;
  /** @type {(boolean | null)[][]} */
  const modules = Array.from({ length: size }, () => Array(size).fill(null));
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) drawSquare(modules, row, column, 4);
  if (alignment > 0) drawSquare(modules, alignment, alignment, 2);
  for (let index = 8; index < size - 8; index += 1) modules[6][index] = modules[index][6] = index % 2 === 0;
  drawFormat(modules, mask);

  const bits = codewords.flatMap((word) => bitsOf(word, 8));
  let next = 0;
  let upwards = true;
  // Two columns at a time from the right, up and down; the column of the timing pattern is left out.
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const row = upwards ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (modules[row][column] !== null) continue;
        modules[row][column] = (bits[next] === 1) !== MASKS[mask](row, column);
        next += 1;
      }
    }
    upwards = !upwards;
  }
  return modules.map((row) => row.map(Boolean));
}

/**
 * Rings around a centre: a finder pattern with its margin, or an alignment pattern.
 *
 * @param {(boolean | null)[][]} modules
 * @param {number} row
 * @param {number} column
 * @param {number} reach
 */
function drawSquare(modules, row, column, reach) {
  for (let down = -reach; down <= reach; down += 1) {
    for (let right = -reach; right <= reach; right += 1) {
      const line = modules[row + down];
      if (line?.[column + right] === undefined) continue;
      const ring = Math.max(Math.abs(down), Math.abs(right));
      line[column + right] = reach === 4 ? ring !== 2 && ring !== 4 : ring !== 1;
    }
  }
}

/**
 * @param {(boolean | null)[][]} modules
 * @param {number} mask
 */
function drawFormat(modules, mask) {
  const size = modules.length;
  const data = (LEVEL_L << 3) | mask;
  let rest = data;
  for (let step = 0; step < 10; step += 1) rest = (rest << 1) ^ ((rest >> 9) & 1 ? FORMAT_GENERATOR : 0);
  const format = ((data << 10) | rest) ^ FORMAT_MASK;
  /** @param {number} index from the least significant */
  const bit = (index) => ((format >> index) & 1) === 1;
  for (let index = 0; index < 15; index += 1) {
    const near = index < 6 ? index : index < 8 ? index + 1 : null;
    // Down the left finder's side and along its foot, and once more beside the two others.
    if (near !== null) modules[near][8] = bit(index);
    else modules[8][index === 8 ? 7 : 14 - index] = bit(index);
    if (index < 8) modules[8][size - 1 - index] = bit(index);
    else modules[size - 15 + index][8] = bit(index);
  }
  modules[size - 8][8] = true;
}

/** Runs and blocks of one colour, which cameras read badly. @param {boolean[][]} modules */
function penalty(modules) {
  const size = modules.length;
  let points = 0;
  for (let line = 0; line < size; line += 1) {
    for (const at of [(/** @type {number} */ index) => modules[line][index], (/** @type {number} */ index) => modules[index][line]]) {
      let run = 1;
      for (let index = 1; index <= size; index += 1) {
        if (index < size && at(index) === at(index - 1)) {
          run += 1;
        } else {
          if (run >= 5) points += run - 2;
          run = 1;
        }
      }
    }
  }
  for (let row = 1; row < size; row += 1) {
    for (let column = 1; column < size; column += 1) {
      const colour = modules[row][column];
      if ([modules[row - 1][column], modules[row][column - 1], modules[row - 1][column - 1]].every((other) => other === colour)) points += 3;
    }
  }
  return points;
}

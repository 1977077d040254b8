/**
 * Where the tiles go. Pure: sizes in, boxes out, in CSS pixels.
 *
 * Cameras alone share the stage evenly, as large as they can be. With a shared screen, screens take the stage and the
 * cameras a strip: at the side of a wide stage, below on a narrow one.
 *
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 */

/** A tile is never wider than this, nor taller than the other: cameras are cropped to it, so it costs little. */
const WIDEST = 16 / 9;
const TALLEST_ON_WIDE_STAGE = 4 / 3;
const TALLEST_ON_NARROW_STAGE = 3 / 4;

/**
 * @param {object} options
 * @param {number} options.width
 * @param {number} options.height
 * @param {number} options.cameras how many
 * @param {number} options.screens how many
 * @param {number} [options.gap]
 * @returns {{ cameras: Box[], screens: Box[] }}
 */
export function arrange({ width, height, cameras, screens, gap = 12 }) {
  const whole = { x: 0, y: 0, width, height };
  const tallest = width > height ? TALLEST_ON_WIDE_STAGE : TALLEST_ON_NARROW_STAGE;
  if (screens === 0) return { cameras: grid(whole, cameras, gap, WIDEST, tallest), screens: [] };
  if (cameras === 0) return { cameras: [], screens: grid(whole, screens, gap, Infinity, 0) };
  if (width >= height * 1.2) {
    const strip = Math.max(120, Math.min(280, width * 0.22));
    const main = { ...whole, width: width - strip - gap };
    return {
      screens: grid(main, screens, gap, Infinity, 0),
      cameras: grid({ x: main.width + gap, y: 0, width: strip, height }, cameras, gap, WIDEST, tallest, 1),
    };
  }
  const strip = Math.max(84, Math.min(180, height * 0.24));
  const main = { ...whole, height: height - strip - gap };
  return {
    screens: grid(main, screens, gap, Infinity, 0),
    cameras: grid({ x: 0, y: main.height + gap, width, height: strip }, cameras, gap, WIDEST, tallest, cameras),
  };
}

/**
 * Who of many has a place on the stage: whoever has one keeps it, but for those who speak, who take the places of those
 * whose last word is longest ago.
 *
 * @param {readonly string[]} all in order
 * @param {object} options
 * @param {number} options.most places
 * @param {ReadonlySet<string>} options.before who had one
 * @param {ReadonlyMap<string, number>} options.spoke when each last spoke, ms
 * @returns {Set<string>}
 */
export function onStage(all, { most, before, spoke }) {
  if (all.length <= most) return new Set(all);
  const when = (/** @type {string} */ one) => spoke.get(one) ?? 0;
  const kept = all.filter((one) => before.has(one)).slice(0, most);
  const chosen = new Set(kept);
  for (const one of all) {
    if (chosen.size >= most) break;
    chosen.add(one);
  }
  const waiting = all.filter((one) => !chosen.has(one) && when(one) > 0).sort((one, two) => when(two) - when(one));
  for (const one of waiting) {
    const quietest = [...chosen].reduce((least, other) => (when(other) < when(least) ? other : least));
    if (when(quietest) >= when(one)) break;
    chosen.delete(quietest);
    chosen.add(one);
  }
  return chosen;
}

/**
 * `count` equal boxes as large as possible in an area, centred, the last row too.
 *
 * @param {Box} area
 * @param {number} count
 * @param {number} gap
 * @param {number} widest width over height
 * @param {number} tallest width over height
 * @param {number} [fixedColumns]
 * @returns {Box[]}
 */
export function grid(area, count, gap, widest, tallest, fixedColumns) {
  if (count === 0) return [];
  let best = { size: -1, columns: 1, width: 0, height: 0 };
  for (let columns = fixedColumns ?? 1; columns <= (fixedColumns ?? count); columns += 1) {
    const rows = Math.ceil(count / columns);
    let width = Math.max(0, (area.width - gap * (columns - 1)) / columns);
    let height = Math.max(0, (area.height - gap * (rows - 1)) / rows);
    if (width > height * widest) width = height * widest;
    if (width < height * tallest) height = width / tallest;
    if (width * height > best.size + 0.5) best = { size: width * height, columns, width, height };
  }
  const { columns, width, height } = best;
  const rows = Math.ceil(count / columns);
  const top = area.y + (area.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = area.x + (area.width - inRow * width - (inRow - 1) * gap) / 2;
    return {
      x: Math.round(left + (index % columns) * (width + gap)),
      y: Math.round(top + row * (height + gap)),
      width: Math.floor(width),
      height: Math.floor(height),
    };
  });
}

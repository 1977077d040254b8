/** Names and paths that another person chose, made harmless; the terminal does the same (server/src/files/path.rs). Pure. */

const NAME_LIMIT = 200;
/** Characters of a path. */
const PATH_LIMIT = 2_048;
/** Folders deep. */
const DEEPEST = 64;
/** What no system takes as a name. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;

/**
 * A name that is only a name: no folders, no control or direction-changing characters, not hidden, not endless.
 *
 * @param {string} name
 */
export function safeName(name) {
  return clean(name.replace(/^.*[/\\]/s, ""), true);
}

/**
 * The parts of a path in a folder, the last one the file's name, each of them harmless; null where it would lead out.
 *
 * @param {string} path
 * @returns {string[] | null}
 */
export function safePath(path) {
  const parts = path.split("/");
  const leadsOut = parts.some((part) => part === "" || part === "." || part === "..");
  if (path.length > PATH_LIMIT || parts.length > DEEPEST || leadsOut) return null;
  return parts.map((part, index) => clean(part, index === 0));
}

/**
 * @param {string} part
 * @param {boolean} outermost never hidden
 */
function clean(part, outermost) {
  let name = part.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").replace(/[<>:"|?*\\]/g, "_");
  if (outermost) name = name.replace(/^[.\s]+/, "");
  if (name.length > NAME_LIMIT) {
    const ending = /\.[^.]{1,16}$/.exec(name)?.[0] ?? "";
    name = name.slice(0, NAME_LIMIT - ending.length) + ending;
  }
  name = name.replace(/[.\s]+$/, "");
  if (DEVICE.test(name)) name = `_${name}`;
  return name || "file";
}

/**
 * `a.txt`, `a (2).txt`, … where `number` is 1, 2, …
 *
 * @param {string} name
 * @param {number} number
 */
export function numbered(name, number) {
  if (number < 2) return name;
  const [, stem, ending] = /^(.+?)((?:\.[^.]{1,16})?)$/s.exec(name) ?? ["", name, ""];
  return `${stem} (${number})${ending}`;
}

/** Names in place of taken ones. What was tried once is not tried again: of a name that comes ten thousand times, too. */
export class Numbering {
  /** @type {Map<string, number>} */
  #next = new Map();

  /**
   * @param {string} key of the name, where it is
   * @param {string} name
   */
  next(key, name) {
    const number = this.#next.get(key) ?? 1;
    this.#next.set(key, number + 1);
    return numbered(name, number);
  }
}

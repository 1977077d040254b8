/**
 * What a person chose or dropped: files, each with its path, and folders that hold nothing. A folder keeps its structure,
 * whichever way it comes: an `<input webkitdirectory>` tells the paths, of dropped ones the entries are walked.
 */

/**
 * @typedef {{ file: File, path: string }} ChosenFile  `path`: with `/` between its parts, the name alone outside folders
 * @typedef {{ files: ChosenFile[], folders: string[] }} Selection  `folders`: paths of those that hold nothing
 */

/** More than a page can keep account of; a terminal takes 250,000. */
export const MOST_FILES = 20_000;

/** These are more than {@link MOST_FILES}. */
export class TooMany extends Error {}

/** Whether folders can be chosen here; some phones cannot. */
export const canChooseFolders = typeof HTMLInputElement !== "undefined" && "webkitdirectory" in HTMLInputElement.prototype;

/**
 * From an input. The files stay the person's own: nothing is read yet.
 *
 * @param {Iterable<File>} files
 * @returns {Selection}
 */
export function selectionOf(files) {
  return sorted({ files: [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })), folders: [] });
}

/**
 * From a drop. To be called while the event lasts: afterwards the browser shows nothing any more.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<Selection>}
 */
export async function selectionOfDrop(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = selectionOf(transfer.files);
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  /** @type {Selection} */
  const found = { files: [], folders: [] };
  for (const entry of entries) if (entry) await walk(entry, "", found);
  return sorted(found);
}

/** Browsers tell files as the disk has them, which is no order to a person. @param {Selection} selection */
function sorted({ files, folders }) {
  const order = new Intl.Collator("en", { numeric: true });
  return { files: files.sort((one, other) => order.compare(one.path, other.path)), folders: folders.sort(order.compare) };
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} above
 * @param {Selection} found
 */
async function walk(entry, above, found) {
  const path = above + entry.name;
  if (found.files.length + found.folders.length >= MOST_FILES) throw new TooMany();
  if (!entry.isDirectory) {
    const { file } = /** @type {FileSystemFileEntry} */ (entry);
    found.files.push({ path, file: await new Promise(file.bind(entry)) });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  let isEmpty = true;
  // It tells a hundred at a time, and nothing at the end.
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise(reader.readEntries.bind(reader));
    if (some.length === 0) break;
    isEmpty = false;
    for (const inside of some) await walk(inside, `${path}/`, found);
  }
  if (isEmpty) found.folders.push(path);
}

/** What it is called all together. @param {Selection} selection */
export function nameOf({ files, folders }) {
  const paths = [...files.map(({ path }) => path), ...folders];
  const [first = "files"] = paths;
  const outermost = first.split("/")[0];
  const isOne = paths.length === 1 || (first.includes("/") && paths.every((path) => path.startsWith(`${outermost}/`)));
  return isOne ? outermost : `${files.length} files`;
}

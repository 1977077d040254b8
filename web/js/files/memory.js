/** Memory that is given back before the garbage collector comes round to it. */

/** Frees what a buffer holds; it is empty afterwards. @param {ArrayBuffer} buffer */
export function release(buffer) {
  // Newer than the rest of what we ask of a browser: without it the collector does the work, later.
  buffer.transfer?.(0);
}

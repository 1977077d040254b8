/** Words that nobody else has. */

/** 128 bits. */
export function randomWord() {
  return crypto.getRandomValues(new Uint32Array(4)).reduce((word, value) => word + value.toString(36), "");
}

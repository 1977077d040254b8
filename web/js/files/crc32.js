/** CRC-32 as ZIP wants it (ISO 3309, reflected), eight bytes at a step: tables of what each of eight bytes comes to. Pure. */

const POLYNOMIAL = 0xedb88320;
const STEP = 8;

/** `TABLES[n][byte]`: what a byte comes to with `n` bytes behind it. @type {Uint32Array[]} */
const TABLES = [];
for (let behind = 0; behind < STEP; behind += 1) {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = behind === 0 ? byte : TABLES[behind - 1][byte];
    if (behind === 0) for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    else value = (value >>> 8) ^ TABLES[0][value & 0xff];
    table[byte] = value;
  }
  TABLES.push(table);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} [before] the sum of what came before them
 */
export function crc32(bytes, before = 0) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let sum = ~before;
  let at = 0;
  for (const last = bytes.length - STEP; at <= last; at += STEP) {
    const low = sum ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    sum =
      t7[low & 0xff] ^ t6[(low >>> 8) & 0xff] ^ t5[(low >>> 16) & 0xff] ^ t4[low >>> 24] ^
      t3[bytes[at + 4]] ^ t2[bytes[at + 5]] ^ t1[bytes[at + 6]] ^ t0[bytes[at + 7]];
  }
  for (; at < bytes.length; at += 1) sum = (sum >>> 8) ^ t0[(sum ^ bytes[at]) & 0xff];
  return ~sum >>> 0;
}

/**
 * A file's checksum that can be computed while it passes: the Merkle tree hash of RFC 9162 §2.1.1 with SHA-256 over
 * leaves of 1 MiB. WebCrypto has no incremental digest, and it is far faster than any written in JavaScript, so it
 * hashes the leaves, and only log2(leaves) digests are ever kept.
 */

/** Bytes of file per leaf; the last one may be shorter. */
export const LEAF_SIZE = 1024 * 1024;

/** Domain separation of RFC 9162: a leaf can never pass for an inner node. */
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
/** Where a leaf's bytes begin behind its prefix. */
export const LEAF_START = 1;

/** Room for a leaf with its prefix before it, so that it is hashed where it lies. */
export function newLeaf() {
  const leaf = new Uint8Array(LEAF_START + LEAF_SIZE);
  leaf[0] = LEAF_PREFIX;
  return leaf;
}

export class TreeHash {
  /** Full subtrees, largest first, no two of a size. @type {{ leaves: number, digest: Uint8Array }[]} */
  #subtrees = [];
  /** The leaf being filled, with its prefix; null while there is none. @type {Uint8Array | null} */
  #leaf = null;
  #filled = 0;
  /** @type {Promise<void>} one call after the other */
  #queue = Promise.resolve();
  /** Bytes taken so far. */
  position = 0;

  /**
   * Takes the next bytes. Those before the present position, which a resumed transfer reads again, are skipped. The
   * bytes must not change until the promise is fulfilled.
   *
   * @param {Uint8Array} bytes
   * @param {number} [offset] where in the file they begin; absent: right after the last ones
   * @returns {Promise<void>}
   */
  update(bytes, offset) {
    this.#queue = this.#queue.then(() => this.#update(bytes, offset ?? this.position));
    return this.#queue;
  }

  /**
   * Takes the next whole leaf, or the last and shorter one, without copying it.
   *
   * @param {Uint8Array} leaf laid out as by `newLeaf`, and cut off behind its last byte; it must not change until the
   *   promise is fulfilled
   * @returns {Promise<void>}
   */
  add(leaf) {
    this.#queue = this.#queue.then(() => {
      this.position += leaf.length - LEAF_START;
      return this.#close(leaf);
    });
    return this.#queue;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} offset
   */
  async #update(bytes, offset) {
    if (offset > this.position) throw new Error("the checksum misses bytes");
    let rest = bytes.subarray(Math.min(bytes.length, this.position - offset));
    while (rest.length > 0) {
      this.#leaf ??= newLeaf();
      const taken = rest.subarray(0, LEAF_SIZE - this.#filled);
      this.#leaf.set(taken, LEAF_START + this.#filled);
      this.#filled += taken.length;
      this.position += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled === LEAF_SIZE) await this.#closeFilled();
    }
  }

  /** The whole file's digest. Nothing may be added afterwards. @returns {Promise<string>} hexadecimal */
  async finish() {
    await this.#queue;
    if (this.#filled > 0) await this.#closeFilled();
    this.#leaf = null;
    if (this.#subtrees.length === 0) return toHex(await sha256(new Uint8Array(0)));
    let { digest } = this.#subtrees[this.#subtrees.length - 1];
    for (let index = this.#subtrees.length - 2; index >= 0; index -= 1) {
      digest = await node(this.#subtrees[index].digest, digest);
    }
    return toHex(digest);
  }

  async #closeFilled() {
    if (!this.#leaf) return;
    await this.#close(this.#leaf.subarray(0, LEAF_START + this.#filled));
    this.#filled = 0;
  }

  /** @param {Uint8Array} leaf */
  async #close(leaf) {
    let tree = { leaves: 1, digest: await sha256(leaf) };
    for (;;) {
      const left = this.#subtrees[this.#subtrees.length - 1];
      if (left?.leaves !== tree.leaves) break;
      this.#subtrees.pop();
      tree = { leaves: left.leaves * 2, digest: await node(left.digest, tree.digest) };
    }
    this.#subtrees.push(tree);
  }
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
function node(left, right) {
  const joined = new Uint8Array(1 + left.length + right.length);
  joined[0] = NODE_PREFIX;
  joined.set(left, 1);
  joined.set(right, 1 + left.length);
  return sha256(joined);
}

/** @param {Uint8Array} bytes */
async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {Uint8Array<ArrayBuffer>} */ (bytes)));
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

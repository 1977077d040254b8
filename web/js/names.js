/** Room names that can be said over the phone: two words and a number, about 27 bits. */

const ADJECTIVES = (
  "amber brave breezy bright calm cheery clever cosy crisp curly dapper dusty early fancy fluffy fuzzy gentle " +
  "giddy golden happy hazel humble jolly kind lively lucky mellow merry misty nimble noble olive patient plucky " +
  "polite proud quick quiet rosy rusty sandy shiny silver sleepy smooth snowy spicy sunny swift tidy tiny velvet " +
  "warm wavy wild windy wise witty woolly young zesty"
).split(" ");

const NOUNS = (
  "acorn anchor apple badger barn beacon bear bell berry birch biscuit bridge brook button candle canyon castle " +
  "cedar cherry cloud clover comet copper cricket dolphin falcon feather fern fiddle forest fox garden ginger " +
  "harbor hazel heron island jungle kettle kite lantern lemon maple meadow melon mirror moon moss mountain muffin " +
  "nutmeg otter owl panda pebble pepper pine planet plum pocket pond rabbit raven river robin saddle sparrow " +
  "spoon spring squirrel teapot thistle tiger tulip turtle valley violin walnut whistle willow window"
).split(" ");

/**
 * @param {(bound: number) => number} [below] a random integer from 0 to under `bound`
 * @returns {string} e.g. "merry-otter-4821"
 */
export function randomRoomName(below = randomBelow) {
  return `${ADJECTIVES[below(ADJECTIVES.length)]}-${NOUNS[below(NOUNS.length)]}-${1_000 + below(9_000)}`;
}

/** @param {number} bound */
function randomBelow(bound) {
  const [value] = crypto.getRandomValues(new Uint32Array(1));
  return value % bound;
}

/** The longest name that the server takes. */
const ROOM_NAME_LIMIT = 64;

/**
 * What a person typed, made into a room name that the server takes: spaces become hyphens, accents go,
 * whatever else is not allowed disappears.
 *
 * @param {string} typed
 * @returns {string} possibly empty
 */
export function roomNameFrom(typed) {
  return typed
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .trim()
    .replace(/\s+/g, "-")
    .replace(/[^a-zA-Z0-9_.-]/g, "")
    .slice(0, ROOM_NAME_LIMIT);
}

/** @param {string} name */
export function isRoomName(name) {
  return /^[a-zA-Z0-9_.-]{1,64}$/.test(name);
}

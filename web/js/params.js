/** The page's query parameters (docs/web.md, "Query parameters"). */

/**
 * @typedef {object} Params
 * @property {string} name
 * @property {boolean} join skip the pre-join
 * @property {boolean} mic start with the microphone on
 * @property {boolean} camera start with the camera on
 * @property {"streamer" | "viewer" | null} role
 * @property {string} password
 * @property {string} invitation
 * @property {boolean} relayOnly
 * @property {"opfs" | "memory" | null} files
 * @property {"vp8" | "h264" | "vp9" | "av1"} codec of our pictures, through the server
 */

/**
 * @param {string} search
 * @param {boolean} automated whether a driver steers this browser: only then may a link switch devices on
 * @returns {Params}
 */
export function readParams(search, automated) {
  const query = new URLSearchParams(search);
  const join = query.get("join") === "1";
  const mayStart = !join || automated;
  const files = query.get("files");
  const role = query.get("role");
  const codec = query.get("codec");
  return {
    name: (query.get("name") ?? "").trim().slice(0, 64),
    join,
    mic: mayStart && query.get("mic") !== "0",
    camera: mayStart && query.get("camera") !== "0",
    role: role === "streamer" || role === "viewer" ? role : null,
    password: query.get("password") ?? "",
    invitation: query.get("invitation") ?? "",
    relayOnly: query.get("relay") === "1",
    codec: codec === "h264" || codec === "vp9" || codec === "av1" ? codec : "vp8",
    files: files === "opfs" || files === "memory" ? files : null,
  };
}

/** The room's name out of `/r/NAME`. @param {string} pathname */
export function roomFromPath(pathname) {
  try {
    return decodeURIComponent(pathname.split("/")[2] ?? "");
  } catch {
    return "";
  }
}

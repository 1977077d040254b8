/** Line icons on a 24 by 24 grid, and the two cans. */
import { svg } from "../dom.js";

/** @type {Record<string, string[]>} path data, stroked */
const ICONS = {
  mic: ["M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z", "M5.5 11a6.5 6.5 0 0 0 13 0", "M12 17.5V21", "M9 21h6"],
  "mic-off": ["M9 9v2a3 3 0 0 0 4.6 2.5", "M15 10V6a3 3 0 0 0-5.8-1", "M5.5 11a6.5 6.5 0 0 0 10.4 5.2", "M18.5 11c0 .9-.2 1.7-.5 2.5", "M12 17.5V21", "M9 21h6", "M4 3l16 18"],
  camera: ["M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7z", "M15 11l6-3.5v9L15 13"],
  "camera-off": ["M10 7h3a2 2 0 0 1 2 2v2l6-3.5v9l-2.5-1.5", "M15 15a2 2 0 0 1-2 2H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7h2", "M4 3l16 18"],
  screen: ["M4 4h16a1.5 1.5 0 0 1 1.5 1.5v10A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5v-10A1.5 1.5 0 0 1 4 4z", "M8 21h8", "M12 17v4", "M12 13V8", "M9.5 10L12 7.5 14.5 10"],
  chat: ["M5 4h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z", "M8 9h8", "M8 12h5"],
  files: ["M6 3h8l5 5v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z", "M14 3v5h5", "M11.5 18v-6", "M9 14.5l2.5-2.5 2.5 2.5"],
  folder: ["M4 5h5.5l2 2.5H20a1 1 0 0 1 1 1V18a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18V6a1 1 0 0 1 1-1z", "M3 11h18"],
  details: ["M3 12h4l3-8 4 16 3-8h4"],
  leave: ["M3 14c0-2 3.5-5.5 9-5.5s9 3.5 9 5.5v1.5a1 1 0 0 1-1.2 1l-3.6-.8a1 1 0 0 1-.8-1V13a11 11 0 0 0-6.8 0v1.7a1 1 0 0 1-.8 1l-3.6.8a1 1 0 0 1-1.2-1z"],
  next: ["M5 5l8 7-8 7V5z", "M17 5v14"],
  copy: ["M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1z", "M5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1"],
  share: ["M12 15V3", "M8 7l4-4 4 4", "M5 12v7a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-7"],
  theme: ["M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  check: ["M4 12.5l5.5 5.5L20 6.5"],
  warn: ["M12 4L2.5 20h19L12 4z", "M12 10v5", "M12 17.5v.1"],
  download: ["M12 3v12", "M8 11l4 4 4-4", "M5 17v2a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-2"],
  dice: ["M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z", "M8 8v.1", "M16 8v.1", "M12 12v.1", "M8 16v.1", "M16 16v.1"],
  eye: ["M2 12s3.6-7 10-7 10 7 10 7-3.6 7-10 7-10-7-10-7z", "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z"],
  live: ["M12 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4z", "M7.5 16.5a6.4 6.4 0 0 1 0-9", "M16.5 7.5a6.4 6.4 0 0 1 0 9", "M4.5 19.5a10.6 10.6 0 0 1 0-15", "M19.5 4.5a10.6 10.6 0 0 1 0 15"],
  devices: ["M4 7h8", "M16 7h4", "M14 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4z", "M4 17h4", "M12 17h8", "M10 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"],
  lock: ["M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1z", "M8 11V7a4 4 0 0 1 8 0v4"],
  hand: ["M8 12V5.5a1.5 1.5 0 0 1 3 0V11", "M11 10.5V4a1.5 1.5 0 0 1 3 0v6.5", "M14 11V5.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-3 0-4.4-1.6-5.5-4L3 13.6a1.5 1.5 0 0 1 2.6-1.4L8 15"],
  speaker: ["M3 5h18v10H3z", "M3 18.5h5", "M10 18.5h4", "M16 18.5h5"],
  arrow: ["M4 12h16", "M14 6l6 6-6 6"],
};

/** @param {string} name @returns {SVGElement} hidden from screen readers: the control has the words */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    ...(ICONS[name] ?? []).map((d) => svg("path", { d })),
  );
}

/** Two cans, and the string between them. @returns {SVGElement} */
export function logo() {
  return svg(
    "svg",
    { viewBox: "0 0 64 32", class: "logo", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "logo-string", d: "M17 17C25 27 39 27 47 17" }),
    can(3, -10),
    can(47, 10),
  );
}

/**
 * @param {number} x
 * @param {number} tilt degrees
 */
function can(x, tilt) {
  const middle = x + 7;
  return svg(
    "g",
    { transform: `rotate(${tilt} ${middle} 15)` },
    svg("path", { class: "can-body", d: `M${x} 7v14c0 1.7 3.1 3 7 3s7-1.3 7-3V7` }),
    svg("path", { class: "can-label", d: `M${x} 11.5c0 1.7 3.1 3 7 3s7-1.3 7-3v6c0 1.7-3.1 3-7 3s-7-1.3-7-3z` }),
    svg("ellipse", { class: "can-top", cx: middle, cy: 7, rx: 7, ry: 3 }),
  );
}

/** Any address that is none of ours. */
import { find, h, svg } from "../dom.js";
import { header } from "../ui/shell.js";

header();
find("main").append(
  h(
    "section",
    { class: "farewell" },
    svg(
      "svg",
      { viewBox: "0 0 240 60", class: "cut", "aria-hidden": "true" },
      svg("path", { class: "string", d: "M20 20C50 40 80 50 104 34" }),
      svg("path", { class: "string", d: "M220 20C190 40 160 54 134 44" }),
      svg("rect", { class: "can-body", x: 8, y: 6, width: 22, height: 30, rx: 3 }),
      svg("rect", { class: "can-label", x: 8, y: 14, width: 22, height: 13 }),
      svg("rect", { class: "can-body", x: 210, y: 6, width: 22, height: 30, rx: 3 }),
      svg("rect", { class: "can-label", x: 210, y: 14, width: 22, height: 13 }),
    ),
    h("h1", {}, "The string ends here"),
    h("p", { class: "lead" }, "There is no page at this address. Check the link that you were given."),
    h("a", { class: "button primary", href: "/" }, "To the start page"),
  ),
);

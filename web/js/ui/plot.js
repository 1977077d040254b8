/** A small line plot of the last minute, drawn on a canvas in the page's own colours. */
import { h, setText } from "../dom.js";

const POINTS = 60;

export class Plot {
  #canvas = h("canvas", { class: "plot-canvas" });
  #value = h("span", { class: "plot-value" });
  #second = h("span", { class: "plot-value second" });
  #format;
  #least;
  element;

  /**
   * @param {object} options
   * @param {string} options.label
   * @param {(value: number | null) => string} options.format
   * @param {number} options.least the scale never ends below this value
   */
  constructor({ label, format, least }) {
    this.#format = format;
    this.#least = least;
    this.#canvas.setAttribute("aria-hidden", "true");
    this.element = h("div", { class: "plot" }, h("span", { class: "plot-label" }, label), h("span", { class: "plot-values" }, this.#value, this.#second), this.#canvas);
  }

  /**
   * @param {(number | null)[][]} lines one or two, oldest value first; the last values are shown
   */
  draw(lines) {
    const [main, second] = lines;
    setText(this.#value, this.#format(main[main.length - 1] ?? null));
    if (second) setText(this.#second, this.#format(second[second.length - 1] ?? null));
    const canvas = this.#canvas;
    const scale = Math.min(3, devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (width === 0 || height === 0) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(canvas);
    const top = Math.max(this.#least, ...lines.flat().map((value) => value ?? 0)) * 1.1;
    context.clearRect(0, 0, width, height);
    lines.forEach((values, index) => {
      context.strokeStyle = style.getPropertyValue(index === 0 ? "--plot-first" : "--plot-second");
      context.lineWidth = 1.5 * scale;
      context.lineJoin = "round";
      context.beginPath();
      let drawing = false;
      values.forEach((value, position) => {
        if (value === null) {
          drawing = false;
          return;
        }
        const x = ((POINTS - values.length + position) / (POINTS - 1)) * width;
        const y = height - scale - (value / top) * (height - 2 * scale);
        if (drawing) context.lineTo(x, y);
        else context.moveTo(x, y);
        drawing = true;
      });
      context.stroke();
    });
  }
}

/** The chat panel. What people write is only ever text. */
import { h } from "../dom.js";
import { CHAT_LIMIT } from "../peer/control.js";

/** Older messages leave the page. */
const KEPT_MESSAGES = 500;

export class Chat {
  #log = h("div", { class: "chat-log", testid: "chat-log", role: "log", tabIndex: 0, "aria-label": "Messages" });
  #empty = h("p", { class: "panel-empty" }, "Messages go straight from browser to browser. Nothing is stored anywhere.");
  #input = h("textarea", { testid: "chat-input", rows: 1, maxLength: CHAT_LIMIT, placeholder: "Write a message", enterKeyHint: "send" });
  element;

  /** @param {(text: string) => boolean} send */
  constructor(send) {
    this.#input.setAttribute("aria-label", "Message");
    const submit = () => {
      const text = this.#input.value.trim();
      if (text === "" || !send(text)) return;
      this.add({ from: "self", name: "You", text });
      this.#input.value = "";
    };
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    });
    this.element = h(
      "div",
      { class: "panel-body chat", testid: "chat-panel" },
      this.#empty,
      this.#log,
      h(
        "form",
        {
          class: "chat-form",
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            submit();
          },
        },
        this.#input,
        h("button", { class: "button primary", type: "submit", testid: "chat-send" }, "Send"),
      ),
    );
  }

  focus() {
    this.#input.focus();
  }

  /** @param {{ from: string, name: string, text: string }} message */
  add({ from, name, text }) {
    this.#empty.hidden = true;
    const last = this.#log.lastElementChild;
    const continues = last instanceof HTMLElement && last.dataset.from === from;
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 60;
    const time = new Date();
    this.#log.append(
      h(
        "div",
        { class: `chat-message${from === "self" ? " own" : ""}${continues ? " continues" : ""}`, testid: "chat-message", data: { from } },
        h("span", { class: "chat-name" }, name),
        h("time", { class: "chat-time", dateTime: time.toISOString() }, time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
        h("p", {}, text),
      ),
    );
    if (this.#log.childElementCount > KEPT_MESSAGES) this.#log.firstElementChild?.remove();
    if (atEnd || from === "self") this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** A new partner starts with an empty page. */
  clear() {
    this.#log.replaceChildren();
    this.#empty.hidden = false;
  }
}

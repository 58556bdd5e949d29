// A list of choices that is no <select>: a button that opens it, options by mouse or keyboard.
import { el } from "./page.js";

/** The button named `name` with its list; calls `onChoice` with the text chosen. */
export function listbox(name, options, value, onChoice) {
  const button = el("button", { class: "pick", type: "button", role: "combobox", "aria-label": name, "aria-haspopup": "listbox", "aria-expanded": "false" }, value || name);
  const box = el("div", { class: "list" }, button);
  let list = null;

  const close = () => {
    // Taken away only once: removing the focused option fires focusout, which comes back here.
    const open = list;
    list = null;
    open?.remove();
    button.setAttribute("aria-expanded", "false");
  };
  const choose = (text) => {
    button.textContent = text;
    close();
    button.focus();
    onChoice(text);
  };
  const open = () => {
    list = el("ul", { role: "listbox", "aria-label": name });
    for (const text of options) {
      const option = el("li", { role: "option", tabindex: "-1", "aria-selected": String(text === button.textContent) }, text);
      option.addEventListener("click", () => choose(text));
      list.append(option);
    }
    box.append(list);
    button.setAttribute("aria-expanded", "true");
    (list.querySelector("[aria-selected=true]") ?? list.firstChild).focus();
  };
  button.addEventListener("click", () => (list ? close() : open()));
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) close(); });
  box.addEventListener("keydown", (event) => {
    if (!list) return;
    const at = document.activeElement;
    if (event.key === "Escape") { close(); button.focus(); }
    else if (event.key === "ArrowDown") (at.nextElementSibling ?? list.firstChild).focus();
    else if (event.key === "ArrowUp") (at.previousElementSibling ?? list.lastChild).focus();
    else if (event.key === "Enter" && at.role === "option") choose(at.textContent);
    else return;
    event.preventDefault();
  });
  return box;
}

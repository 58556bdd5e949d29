// A dialog that asks for words before an act: why a finding may stand, what a crew has to mend.

import { h, setText } from "../dom.js";

let serial = 0;

/**
 * Open it inside `host`. `agree` are words that have to be ticked first. `send(text)` answers the words of a refusal, and the dialog stays with what was typed; or null, and it
 * closes. Returns the <dialog>, gone once it is closed.
 */
export function askWords(host, { title, words = [], label, placeholder = "", submit, leave = "Cancel", required = true, long = false, limit = 500, agree = "", send }) {
  const id = `ask-${(serial += 1)}`;
  const asked = { name: "reason", required, minlength: required ? 3 : null, maxlength: limit, autocomplete: "off", placeholder };
  const field = long ? h("textarea", { ...asked, rows: 4 }) : h("input", asked);
  const answer = h("p", { class: "answer", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" }, submit);
  const act = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    answer.hidden = true;
    try {
      const refusal = await send(field.value.trim());
      if (refusal === null) return dialog.close();
      answer.hidden = false;
      setText(answer, refusal);
    } finally {
      button.disabled = false;
    }
  };
  const dialog = h("dialog", { class: "waive", "aria-labelledby": id },
    h("form", { class: "retry", onSubmit: act },
      h("h2", { id }, title), words,
      h("label", {}, h("span", {}, label), field),
      agree ? h("label", { class: "agree" }, h("input", { type: "checkbox", name: "agree", required: true }), h("span", {}, agree)) : null,
      h("div", { class: "acts" }, button, h("button", { type: "button", onClick: () => dialog.close() }, leave), answer)));
  dialog.addEventListener("close", (event) => {
    event.stopPropagation();
    dialog.remove();
  });
  host.append(dialog);
  dialog.showModal();
  field.focus();
  return dialog;
}

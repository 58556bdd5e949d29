// The dialog of an act: what it does, what it needs to know, and why, which is kept. The API decides.

import { visible } from "../core.js";
import { h, setText } from "../dom.js";

/** `fields`: {name, label, …attributes of an input}. `run(values)` does it; it is called again after a refusal. */
export function ask({ title, text, label, fields = [], run }) {
  const inputs = fields.map(({ label: words, ...attributes }) => ({ words, input: h("input", { required: true, autocomplete: "off", ...attributes }) }));
  const reason = h("input", { name: "reason", required: true, maxlength: 500, autocomplete: "off" });
  const answer = h("p", { class: "answer", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary" }, label);
  const form = h("form", { class: "retry" },
    inputs.map(({ words, input }) => h("label", {}, h("span", {}, words), input)),
    h("label", {}, h("span", {}, "Reason, kept with your name"), reason),
    h("div", { class: "acts" }, submit, h("button", { type: "button", onClick: () => dialog.close() }, "Leave it"), answer));
  const dialog = h("dialog", { class: "waive", "aria-labelledby": "ask-title" }, h("h2", { id: "ask-title" }, title), h("p", {}, text), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    answer.hidden = true;
    try {
      await run({ reason: reason.value.trim(), ...Object.fromEntries(inputs.map(({ input }) => [input.name, input.value])) });
      dialog.close();
    } catch (problem) {
      answer.hidden = false;
      setText(answer, problem.status === 403 ? "Refused: your role does not allow it." : `Not done: ${visible(problem.message, 300)}`);
    } finally {
      submit.disabled = false;
    }
  });
  const opener = document.activeElement;
  const row = opener.closest("li");
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The act may have drawn the row anew, and put its own undoing in the place of the button.
    const again = opener.isConnected ? opener : row?.querySelector(`[data-act="${opener.dataset.act}"]`) ?? row?.querySelector("[data-act]");
    again?.focus();
  });
  (opener.closest(".view") ?? document.body).append(dialog); // it goes with the view that it is about
  dialog.showModal();
  (inputs[0]?.input ?? reason).focus();
}

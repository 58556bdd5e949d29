// The dialog that lists a view's keys.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** A closed <dialog> for pairs of keys and what they do; the view puts it into its root and shows it. */
export function keyHelp(pairs) {
  const close = h("button", { type: "button", class: "primary", onClick: () => dialog.close() }, "Close");
  const lines = pairs.map(([keys, does]) => [h("dt", {}, keys.flatMap((key, at) => [at > 0 && " or ", h("kbd", {}, key)])), h("dd", {}, does)]);
  const dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, icon("keyboard"), " Keyboard"), h("dl", {}, lines), close);
  return dialog;
}

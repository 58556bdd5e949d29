// The dialog that lists a view's keys, and whether single keys do anything: who speaks to the machine, or rests a hand on its keys,
// turns them off. Kept in this browser.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const KEY = "asbuilt.keys";
let here = null; // what was said on this page, where storage is forbidden

/** Whether keys of one character are listened to. */
export function singleKeys() {
  try {
    return (here ?? localStorage.getItem(KEY)) !== "off";
  } catch {
    return true;
  }
}

function setSingleKeys(on) {
  here = on ? "on" : "off";
  showSingleKeys();
  try {
    localStorage.setItem(KEY, here);
  } catch {
    // Then it holds for this page only.
  }
}

// A key that does nothing is not offered.
function showSingleKeys() {
  document.documentElement.toggleAttribute("data-no-keys", !singleKeys());
}

/** A closed <dialog> for pairs of keys and what they do; the view puts it into its root and shows it. */
export function keyHelp(pairs) {
  showSingleKeys();
  const close = h("button", { type: "button", class: "primary", onClick: () => dialog.close() }, "Close");
  const lines = pairs.map(([keys, does]) => [h("dt", {}, keys.flatMap((key, at) => [at > 0 && " or ", h("kbd", {}, key)])), h("dd", {}, does)]);
  const box = h("input", { type: "checkbox", checked: singleKeys(), onChange: () => setSingleKeys(box.checked) });
  const dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, icon("keyboard"), " Keyboard"), h("dl", {}, lines),
    h("label", { class: "agree" }, box, h("span", {}, "Single-key shortcuts")), close);
  return dialog;
}

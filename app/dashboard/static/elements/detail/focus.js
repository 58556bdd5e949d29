// Where the keyboard goes when what it stood on goes, and how it stays.

import { setAttr } from "../../dom.js";

/** To the title of the dialog or page around `element`, when it stood within `element`. Returns where it went, else null. */
export function moveOn(element) {
  if (!element.contains(document.activeElement)) return null;
  const title = element.closest("dialog")?.querySelector("h2") ?? element.closest(".view")?.querySelector("h1") ?? null;
  title?.focus();
  return title;
}

/** Buttons of an act that is under way: a disabled one would drop the keyboard that pressed it. The act itself lets nothing through twice. */
export function setBusy(buttons, busy) {
  for (const button of buttons) setAttr(button, "aria-disabled", busy ? "true" : null);
}

// What became of an act that came too late, said where no redraw reaches it: what was acted on has changed, and its card with it.

import { fill, h } from "../../dom.js";
import { icon } from "../../icons.js";

/** {element, say(text)}: a notice that stays until it is closed or nothing is to be said any more (""). */
export function refusedNotice() {
  const words = h("span", {});
  const close = h("button", { type: "button", class: "quiet square", onClick: () => say("") }, icon("close"), h("span", { class: "visually-hidden" }, "Close the notice"));
  const element = h("div", { class: "notice refused", "data-tone": "warn", role: "alert", hidden: true }, icon("alert"), words, close);
  const say = (text) => {
    element.hidden = text === "";
    fill(words, text);
    // The act may have been far down a long page.
    if (text) element.scrollIntoView({ block: "nearest" });
  };
  return { element, say };
}

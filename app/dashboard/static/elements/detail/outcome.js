// The card of a submission whose outcome nobody could prove: a person looks at the portal, and says what is there.

import { foreign, h, setText } from "../../dom.js";
import { icon } from "../../icons.js";
import { portalName } from "../../words.js";
import { setBusy } from "./focus.js";

/** `send(body)` answers the words of a refusal, or null. Only an operator may say it. */
export function outcomeForm(job, role, send) {
  const words = h("div", { class: "run-text" },
    h("span", { class: "kicker" }, icon("question"), "Needs you"),
    h("p", { class: "run-title" }, "Did ", foreign(portalName(job.portal), { limit: 80 }), " take the submission?"),
    h("p", {}, "It was sent, and no answer came. Look at the portal for ", foreign(job.external_ref, { class: "mono", limit: 80 }),
      ". Nothing is submitted again until you say so."),
    job.error?.message ? h("p", { class: "faint" }, foreign(job.error.message, { limit: 1000 })) : null);
  if (role !== "operator" && role !== "admin") {
    words.append(h("p", { class: "faint" }, "An operator of this project has to say so."));
    return words;
  }
  const number = h("input", { name: "confirmation", maxlength: 120, autocomplete: "off", spellcheck: "false", class: "mono" });
  const reason = h("input", { name: "reason", required: true, minlength: 3, maxlength: 500, autocomplete: "off", placeholder: "What did you see?" });
  const answer = h("p", { class: "answer", role: "alert", hidden: true });
  const did = h("button", { type: "submit", class: "primary", value: "did" }, icon("check"), "It did");
  const didNot = h("button", { type: "submit", value: "did not" }, icon("retry"), "It did not: submit it again");
  const submit = async (event) => {
    event.preventDefault();
    const submitted = event.submitter !== didNot;
    const confirmation = number.value.trim();
    if (submitted && confirmation === "") {
      say("The confirmation number is needed: it is the proof.");
      number.focus();
      return;
    }
    setBusy([did, didNot], true);
    say(await send({ submitted, confirmation: submitted ? confirmation : null, reason: reason.value.trim() }));
    setBusy([did, didNot], false);
  };
  const say = (text) => {
    answer.hidden = !text;
    setText(answer, text ?? "");
  };
  words.append(h("form", { class: "retry", onSubmit: submit },
    h("label", {}, h("span", {}, "Confirmation number, if it did"), number),
    h("label", {}, h("span", {}, "Reason, kept with the record’s history"), reason),
    h("div", { class: "acts" }, did, didNot, answer)));
  return words;
}

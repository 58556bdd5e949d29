// The office's word on a record: what it stands at, and a reviewer's decision on exactly what is shown.

import { visible } from "../../core.js";
import { fill, foreign, h, pill, time } from "../../dom.js";
import { icon } from "../../icons.js";
import { personOf, reviewOf } from "../../words.js";
import { askWords } from "../ask.js";
import { Section } from "./record.js";

const LIVE = ["awaiting_media", "held", "queued", "retrying"];
const DECISIONS = {
  approved: {
    button: "Approve…", icon: "check", title: "Approve this record?", submit: "Approve", label: "Note, if there is something to say", required: false,
    placeholder: "Kept with the record",
  },
  has_issues: {
    button: "Send back…", icon: "retry", title: "Send this record back to its crew?", submit: "Send back", label: "What should the crew mend?", required: true,
    placeholder: "The crew reads this on its phone",
  },
  rejected: {
    button: "Reject…", icon: "cross", title: "Reject this record?", submit: "Reject", label: "Why is it rejected?", required: true,
    placeholder: "The crew reads this on its phone",
  },
};

export class ReviewSection extends Section {
  #dialog = null;

  constructor({ api, onChange }) {
    super("Review", "review");
    this.api = api;
    this.onChange = onChange;
  }

  dispose() {
    this.#dialog?.close();
  }

  pick({ id, review, approval_required, defect_list }, job, role) {
    const blocked = defect_list.some((defect) => defect.severity === "blocker" && defect.status === "open");
    return { id, review, wanted: approval_required, state: job?.state ?? "", waits: job?.wait_reason ?? "", blocked, may: role !== "viewer" };
  }

  draw(data) {
    const { review, may, blocked } = data;
    fill(this.body,
      h("div", { class: "review-state" }, pill(reviewOf(review.state)),
        review.at && review.state !== "edited" ? h("span", { class: "faint" }, "by ", foreign(personOf(review.by), { limit: 120 }), " · ", time(review.at)) : null),
      review.note ? h("blockquote", { class: "said" }, foreign(review.note, { limit: 2000 })) : null,
      h("p", { class: "faint" }, meaning(data)),
      may ? h("div", { class: "acts" }, Object.keys(DECISIONS).filter((decision) => decision !== review.state).map((decision) =>
        h("button", { type: "button", class: decision === "approved" ? "primary" : null, disabled: decision === "approved" && blocked, "data-decision": decision,
          onClick: () => this.#ask(decision, data) }, icon(DECISIONS[decision].icon), DECISIONS[decision].button)))
        : h("p", { class: "faint" }, "Your role in this project can look, but not decide."),
      may && blocked ? h("p", { class: "faint" }, "A blocker is open: waive it, or send the record back.") : null);
  }

  #ask(decision, { id, review, state }) {
    const { title, submit, label, required, placeholder } = DECISIONS[decision];
    const words = decision === "approved" ? [] : [h("p", { class: "faint" }, consequence(state))];
    this.#dialog = askWords(this.element, { title, words, label, submit, required, placeholder, long: true, limit: 2000,
      send: (note) => this.#send(id, decision, note, review.version) });
  }

  // The version is that of what the reviewer saw when the dialog opened, not of what arrived behind it.
  async #send(id, decision, note, version) {
    try {
      await this.api.send("POST", `/api/records/${encodeURIComponent(id)}/review`, { decision, note }, { headers: { "If-Match": `"${version}"` } });
      this.onChange(null);
      return null;
    } catch (problem) {
      if (problem.status === 412) {
        this.onChange(null);
        return "Not decided: the record has changed since you opened this. Close it, look again, and decide anew.";
      }
      if (problem.status === 403) return "Not decided: your role in this project does not allow it.";
      return `Not decided: ${visible(problem.message, 300)}`;
    }
  }
}

function consequence(state) {
  if (state === "processing") return "Its run has begun and goes on to its end; cancel the job as well if it must not be submitted.";
  if (state === "completed") return "The portal has this record already: what is there is put right at the portal.";
  return LIVE.includes(state) ? "Its job waits until the crew has corrected it, or it is approved." : "";
}

function meaning({ review, wanted, state, waits }) {
  if (waits === "review") return "The project wants an approval before its automation starts: this record waits for yours.";
  if (waits === "sent_back") return "It waits for its crew’s correction. Approving it lets it go on as it is.";
  if (review.state === "edited") return "Its crew has corrected it since the last decision.";
  if (review.state === "received") return wanted ? "Nobody has decided on it yet, and its automation waits for an approval." : "Nobody has decided on it yet. Its automation does not wait for that.";
  return state === "completed" && review.state !== "approved" ? "The portal had it before this decision." : "";
}

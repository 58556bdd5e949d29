// The card of a job that waits for a person: what is asked, the portal's page, the answer, and the time that is left.
// An answer is sent once and kept nowhere on the page.

import { duration, own, visible } from "../../core.js";
import { fill, foreign, h, setText } from "../../dom.js";
import { icon } from "../../icons.js";
import { ended, humanize, portalName } from "../../words.js";
import { moveOn, setBusy } from "./focus.js";
import { openLightbox } from "./photos.js";
import { Picture } from "./picture.js";
import { outcomeForm } from "./outcome.js";

const HEADINGS = {
  otp: "The portal wants a one-time code",
  captcha: "The portal wants to know that a person is there",
  approval: "Approve the submission",
  choice: "The portal wants a choice made",
  fix: "Something has to be done at the portal",
};

const DECISIONS = { approve: "Approve and submit", refuse: "Refuse", "try again": "Try again", "give up": "Give up" };

export class QuestionSection {
  #key = "";
  #job = null;
  #busy = false;
  #ticker = 0;
  #abort = null;

  constructor({ api, onChange, onRefused }) {
    Object.assign(this, { api, onChange, onRefused });
    this.element = h("section", { class: "run question", "aria-label": "Your answer", "data-tone": "warn", hidden: true });
  }

  /** Whether it says all there is to say about the job's state. */
  get shown() {
    return !this.element.hidden;
  }

  /** Whether an answer is on its way. */
  get busy() {
    return this.#busy;
  }

  dispose() {
    clearInterval(this.#ticker);
    this.#abort?.abort();
  }

  update(_record, job, role) {
    this.#job = job;
    const waits = job?.state === "needs_input";
    const key = waits ? JSON.stringify([job.id, job.wait_reason, job.question?.id, role]) : "";
    if (key === this.#key) return;
    this.#key = key;
    this.dispose();
    if (!waits) return this.#leave();
    if (job.wait_reason === "outcome_unknown") return this.#show(outcomeForm(job, role, (body) => this.#send(`outcome`, body)));
    if (job.question) this.#load(job, role);
    else this.#leave();
  }

  #leave() {
    moveOn(this.element);
    this.element.hidden = true;
    fill(this.element);
  }

  #show(...children) {
    fill(this.element, children);
    this.element.hidden = false;
  }

  async #load(job, role) {
    const abort = (this.#abort = new AbortController());
    this.#show(h("p", { class: "faint" }, "Loading the question…"));
    try {
      const list = await this.api.get(`/api/jobs/${encodeURIComponent(job.id)}/inputs`, {}, { signal: abort.signal });
      const asked = list.items.find((item) => item.id === job.question.id);
      if (abort.signal.aborted) return;
      if (asked) this.#ask(asked, role);
      else this.#leave();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      const again = h("button", { type: "button", onClick: () => this.#load(job, role) }, icon("retry"), "Load it again");
      this.#show(h("p", { class: "answer", role: "alert" }, `The question could not be loaded: ${problem.message}`), again);
    }
  }

  #ask(asked, role) {
    const left = h("span", { class: "figure next", role: "timer" });
    this.#show(h("div", { class: "question-card" },
      h("div", { class: "run-text" },
        h("span", { class: "kicker" }, icon("question"), "Needs you", left),
        h("p", { class: "run-title" }, HEADINGS[asked.kind] ?? "The portal asks"),
        h("p", { class: "said" }, foreign(asked.prompt, { limit: 1000 })),
        asked.kind === "approval" ? this.#review(asked) : null,
        role === "viewer" ? h("p", { class: "faint" }, "Your role in this project can look, but not answer.") : this.#form(asked)),
      asked.screenshot ? this.#frame(asked) : null));
    this.#countDown(asked, left);
  }

  #frame(asked) {
    const alt = `${portalName(this.#job.portal)}: the page that asks`;
    const picture = new Picture({ api: this.api, alt, className: "screen" });
    picture.show(asked.screenshot);
    return h("button", { type: "button", class: "thumb screen-frame", "aria-label": "Open the picture of the portal’s page",
      onClick: () => openLightbox({ api: this.api, items: [{ title: alt, large: asked.screenshot }] }) }, picture.element);
  }

  #review(asked) {
    const keyed = Object.entries(asked.detail.keyed ?? {});
    const photos = asked.detail.photo_count ?? 0;
    return [
      h("p", { class: "faint" }, `On the portal’s review page, with ${photos === 1 ? "one photo" : `${Number(photos)} photos`}:`),
      keyed.length > 0 ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What was keyed" },
        h("dl", { class: "fields" }, keyed.map(([label, value]) => [
          h("dt", {}, foreign(label, { limit: 200 })), h("dd", {}, foreign(value, { limit: 1000 }))]))) : null,
    ];
  }

  #form(asked) {
    const decision = asked.fields.find((field) => field.key === "decision" && field.type === "choice");
    const controls = asked.fields.filter((field) => field !== decision).map((field) => ({ field, input: control(asked, field) }));
    const reason = decision ? h("input", { name: "reason", maxlength: 500, autocomplete: "off" }) : null;
    const answer = h("p", { class: "answer", role: "alert", hidden: true });
    const options = decision ? decision.options : [null];
    const buttons = options.map((option, at) =>
      h("button", { type: "submit", class: at === 0 ? "primary" : "", value: option ?? "" },
        option === null ? "Send the answer" : own(DECISIONS, option) ?? visible(humanize(option), 100)));
    const submit = (event) => {
      event.preventDefault();
      const values = Object.fromEntries(controls.map(({ field, input }) => [field.key, input.value.trim()]));
      if (decision) values[decision.key] = event.submitter?.value || decision.options[0];
      this.#send(`inputs/${encodeURIComponent(asked.id)}`, { values, reason: reason?.value.trim() ?? "" }, { answer, buttons, controls });
    };
    return h("form", { class: "retry", autocomplete: "off", onSubmit: submit },
      controls.map(({ field, input }) => h("label", {}, foreign(field.label, { limit: 200 }), input)),
      reason ? h("label", {}, h("span", {}, "Why (kept with the record’s history)"), reason) : null,
      h("div", { class: "acts" }, buttons, answer));
  }

  async #send(path, body, { answer, buttons = [], controls = [] } = {}) {
    if (this.#busy) return null;
    this.#busy = true;
    setBusy(buttons, true);
    this.element.setAttribute("aria-busy", "true");
    if (answer) answer.hidden = true;
    try {
      this.onChange(await this.api.send("POST", `/api/jobs/${encodeURIComponent(this.#job.id)}/${path}`, body));
      return null;
    } catch (problem) {
      const words = refusal(problem);
      if (problem.status === 409 || problem.status === 410) {
        // The card may go with the question.
        this.onRefused(words);
        this.onChange(null);
        return null;
      }
      if (answer) {
        answer.hidden = false;
        setText(answer, words);
        const wrong = controls.find(({ field }) => problem.errors.some((error) => error.pointer === `/values/${field.key}`));
        wrong?.input.focus();
      }
      return words;
    } finally {
      this.#busy = false;
      this.element.removeAttribute("aria-busy");
      setBusy(buttons, false);
    }
  }

  #countDown(asked, left) {
    const until = Date.parse(asked.expires_at);
    const show = () => {
      const ms = until - Date.now();
      setText(left, ms > 0 ? `${remaining(ms)} left` : "The time is over");
      if (ms <= 0) clearInterval(this.#ticker);
    };
    show();
    this.#ticker = setInterval(show, 1000);
  }
}

function control(asked, field) {
  if (field.type === "choice") {
    return h("select", { name: field.key, required: true }, h("option", { value: "" }, "Choose…"),
      field.options.map((option) => h("option", { value: option }, visible(option, 200))));
  }
  const code = asked.kind === "otp";
  return h("input", { name: field.key, required: true, maxlength: 500, spellcheck: "false", autocapitalize: "off",
    class: code ? "mono code" : "", autocomplete: code ? "one-time-code" : "off", inputmode: code ? "numeric" : null });
}

function remaining(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds >= 3600) return duration(Math.round(seconds / 60) * 60_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function refusal(problem) {
  if (problem.status === 409) return `Not sent: ${ended(problem.message)} What you see has been refreshed.`;
  if (problem.status === 410) return "Too late: the time for an answer is over.";
  if (problem.status === 403) return "Not sent: your role in this project does not allow it.";
  return `Not sent: ${problem.message}`;
}

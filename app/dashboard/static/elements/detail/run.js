// The top of a record page: what the automation is doing now, how it ended, and what a person can do about it.

import { between, duration, safeUrl, visible } from "../../core.js";
import { clockTime, fill, foreign, h, setText } from "../../dom.js";
import { icon } from "../../icons.js";
import { stateOf } from "../../states.js";
import { ended, errorHeadline, humanize, portalName, waitSentence } from "../../words.js";
import { noteOf } from "../automation-status-badge.js";
import { moveOn, setBusy } from "./focus.js";
import { openLightbox } from "./photos.js";
import { Picture } from "./picture.js";

const REASONS = ["The portal is back", "Data corrected in the office", "Looked like a hiccup"];

export class RunSection {
  #key = "";
  #live = null;
  #job = null;
  #busy = false;
  #ticker = 0;
  #pace = new Map();
  #began = new Map();
  #of = null; // the job that the reason is typed for
  #waits = null; // where the keyboard waits for the reason, which cannot be typed while an attempt runs
  // One for all cards of a job: each attempt builds the card anew, perhaps in the middle of a word.
  #reason = h("input", { name: "reason", required: true, minlength: 3, maxlength: 500, autocomplete: "off", placeholder: "Why is it worth another try?" });

  constructor({ api, onChange, onRefused }) {
    Object.assign(this, { api, onChange, onRefused });
    this.element = h("section", { class: "run", "aria-label": "Automation" });
  }

  dispose() {
    clearInterval(this.#ticker);
  }

  update(record, job, role) {
    this.#job = job;
    const running = record.attempts.find((attempt) => attempt.job_id === job?.id && attempt.attempt === job.attempt);
    this.#began = new Map((running?.steps ?? []).map((step) => [step.key, Date.parse(step.started_at)]));
    const key = job ? JSON.stringify([job.id, job.state, job.attempt, job.wait_reason, job.error, job.confirmation, job.former?.length, job.ready_at, role]) : "none";
    if (key !== this.#key) {
      this.#key = key;
      this.#build(job, role);
    }
    if (this.#live) this.#updateLive(job);
  }

  #build(job, role) {
    clearInterval(this.#ticker);
    this.#live = null;
    if (job?.id !== this.#of) this.#reason.value = "";
    this.#of = job?.id;
    const typed = document.activeElement === this.#reason;
    const title = moveOn(this.element);
    if (typed && this.#reason.value) this.#waits = title ?? document.body;
    this.element.hidden = !job;
    if (!job) return;
    this.element.dataset.tone = stateOf(job.state).tone;
    if (job.state === "processing") return this.#buildLive();
    const build = { completed: completedWords, failed: problemWords, retrying: problemWords }[job.state] ?? waitingWords;
    const state = stateOf(job.state);
    fill(this.element, h("div", { class: "run-words" },
      h("span", { class: "run-icon" }, icon(state.icon)),
      h("div", { class: "run-text" }, build(job, this.api), formerWords(job), state.retry ? this.#retryForm(state.retry, role) : null)));
    if (job.state === "retrying") this.#countdown();
    if (this.#reason.isConnected && this.#waits === document.activeElement) {
      this.#waits = null;
      this.#reason.focus();
    }
  }

  #countdown() {
    const line = this.element.querySelector("[data-countdown]");
    const show = () => setText(line, noteOf(this.#job));
    show();
    this.#ticker = setInterval(show, 1000);
  }

  #buildLive() {
    const live = {
      picture: new Picture({ api: this.api, alt: "The portal as the automation sees it", className: "screen" }),
      label: h("bdi", { class: "run-title" }),
      message: h("bdi", { class: "faint" }),
      bar: h("progress", { max: 100, "aria-label": "Progress of the run" }),
      figure: h("span", { class: "figure" }),
      elapsed: h("span", { class: "faint figure" }),
      left: h("span", { class: "faint figure" }),
      slow: h("p", { class: "slow", role: "status" }),
    };
    live.frame = h("button", { type: "button", class: "thumb screen-frame", hidden: true, "aria-label": "Open the latest screenshot",
      onClick: () => this.#openScreen() }, live.picture.element);
    fill(this.element, h("div", { class: "run-live" },
      h("div", { class: "run-text" },
        h("span", { class: "kicker" }, icon("gear"), "Happening now"), live.label, live.message, live.bar,
        h("div", { class: "run-figures" }, live.figure, live.elapsed, live.left), live.slow),
      live.frame));
    this.#live = live;
    const tick = () => {
      setText(live.elapsed, this.#job?.started_at ? `running for ${elapsed(this.#job.started_at)}` : "");
      this.#forecast(live);
    };
    tick();
    this.#askPace(live);
    this.#ticker = setInterval(tick, 1000);
  }

  /** What this recipe's steps usually take; without an answer nothing is foretold. */
  async #askPace(live) {
    this.#pace = new Map();
    try {
      const { steps } = await this.api.get(`/api/jobs/${encodeURIComponent(this.#job.id)}/pace`);
      this.#pace = new Map(steps.map((step) => [step.key, step]));
      this.#forecast(live);
    } catch {
      // The run goes on, and is shown, without a forecast.
    }
  }

  #forecast({ left, slow }) {
    const { left_s: seconds, slow_s: usual } = forecast(this.#pace, this.#job?.progress, this.#began);
    setText(left, seconds === null ? "" : seconds < 5 ? "nearly done" : `about ${whole(Math.round(seconds / 5) * 5)} left`);
    // Said once a step, not every second.
    setText(slow, usual === null ? "" : `Slower than usual: nine of ten times this step takes at most ${duration(usual * 1000)}.`);
  }

  #updateLive(job) {
    const { picture, frame, label, message, bar, figure } = this.#live;
    const progress = job.progress;
    setText(label, visible(progress?.label ?? "Starting", 200));
    setText(message, visible(progress?.message ?? "", 300));
    setText(figure, progress ? `Step ${progress.step_index} of ${progress.step_total} · ${progress.percent} %` : "");
    if (progress) bar.value = progress.percent;
    else bar.removeAttribute("value");
    if (progress?.screenshot) {
      frame.hidden = false;
      picture.show(progress.screenshot);
    }
  }

  #openScreen() {
    const path = this.#job?.progress?.screenshot;
    if (path) openLightbox({ api: this.api, items: [{ title: visible(this.#job.progress.label, 160), large: path }] });
  }

  #retryForm(label, role) {
    if (role === "viewer") return h("p", { class: "faint" }, "Your role in this project can look, but not retry.");
    const reason = this.#reason;
    const answer = h("p", { class: "answer", role: "alert", hidden: true });
    const submit = h("button", { type: "submit", class: "primary" }, icon("retry"), label);
    const chips = h("div", { class: "chips" }, REASONS.map((text) =>
      h("button", { type: "button", class: "chip", onClick: () => { reason.value = text; reason.focus(); } }, text)));
    return h("form", { class: "retry", onSubmit: (event) => this.#retry(event, { reason, answer, submit }) },
      h("label", {}, h("span", {}, "Reason, kept with the record’s history"), reason), chips,
      h("div", { class: "acts" }, submit, answer));
  }

  async #retry(event, { reason, answer, submit }) {
    event.preventDefault();
    if (this.#busy) return;
    this.#busy = true;
    setBusy([submit], true);
    answer.hidden = true;
    try {
      const job = await this.api.send("POST", `/api/jobs/${encodeURIComponent(this.#job.id)}/retry`, { reason: reason.value.trim() });
      reason.value = "";
      this.#waits = null;
      this.onChange(job);
    } catch (problem) {
      if (problem.status === 409) {
        // Somebody was quicker: the card is about to be another one.
        this.onRefused(refusal(problem));
        this.onChange(null);
      } else {
        answer.hidden = false;
        setText(answer, refusal(problem));
      }
    } finally {
      this.#busy = false;
      setBusy([submit], false);
    }
  }
}

const ENOUGH = 5; // runs that went through, before a step's history means something

/** Seconds left, by each step's own history, and the p90 of the step at work once it is over it; null where that is not known. */
export function forecast(pace, progress, began, now = Date.now()) {
  const step = pace.get(progress?.step);
  if (!step || step.runs < ENOUGH) return { left_s: null, slow_s: null };
  const since = began.get(step.key);
  const spent = since === undefined ? 0 : Math.max(0, (now - since) / 1000);
  const later = [...pace.values()].filter((each) => each.index > step.index).reduce((sum, each) => sum + each.p50_s, 0);
  return { left_s: Math.max(0, step.p50_s - spent) + later, slow_s: spent > step.p90_s ? step.p90_s : null };
}

// Whole seconds: tenths that change once a second only fidget.
function elapsed(from) {
  return whole(Math.max(0, Math.floor((Date.now() - Date.parse(from)) / 1000)));
}

const whole = (seconds) => (seconds < 10 ? `${seconds} s` : duration(seconds * 1000));

function refusal(problem) {
  if (problem.status === 409) return `Not retried: ${ended(problem.message)} What you see has been refreshed.`;
  if (problem.status === 403) return "Not retried: your role in this project does not allow it.";
  return `Not retried: ${problem.message}`;
}

function completedWords(job) {
  const number = job.confirmation ?? "";
  const said = h("span", { class: "faint", role: "status" });
  const copy = h("button", { type: "button", class: "quiet square", title: "Copy the number", onClick: () => copyText(number, said) },
    icon("copy"), h("span", { class: "visually-hidden" }, "Copy the confirmation number"));
  const href = safeUrl(job.portal_url);
  return [
    h("p", { class: "run-title" }, "Submitted to ", foreign(portalName(job.portal), { limit: 80 })),
    h("p", { class: "confirmation" }, h("span", { class: "faint" }, "Confirmation"), foreign(number || "none given", { class: "mono number", limit: 120 }),
      number ? copy : null, said),
    h("p", { class: "faint" }, "Finished ", clockTime(job.finished_at), `, after ${between(job.started_at, job.finished_at)} and ${job.attempt === 1 ? "one attempt" : `${job.attempt} attempts`}.`),
    href ? h("p", {}, h("a", { href, target: "_blank", rel: "noopener noreferrer", class: "button" }, "Open in the portal", icon("arrow"))) : null,
  ];
}

async function copyText(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied";
  } catch {
    said.textContent = "Could not copy";
  }
}

function problemWords(job) {
  const error = job.error;
  const retrying = job.state === "retrying";
  const step = error?.step ? ["at the step ", foreign(humanize(error.step), { limit: 80 })] : [];
  return [
    h("p", { class: "run-title" }, errorHeadline(error)),
    error?.message ? h("p", { class: "said" }, foreign(error.message, { limit: 1000 })) : null,
    h("p", { class: "faint" }, error?.code ? [foreign(error.code, { class: "mono", limit: 80 }), " "] : null, step,
      step.length > 0 || error?.code ? " · " : null, `attempt ${job.attempt}, ${job.failures} of ${job.max_attempts} failures used`),
    retrying ? h("p", { class: "next", "data-countdown": true }) : h("p", { class: "faint" }, job.former?.length ? "Nothing was submitted this time." : "Nothing was submitted."),
  ];
}

/** The entries from before it was run again, which stand in the portal unless somebody has removed them there. */
function formerWords(job) {
  return (job.former ?? []).map((one) => h("p", { class: "faint" }, "Submitted before, ", clockTime(one.submitted_at), ": number ",
    foreign(one.confirmation, { class: "mono", limit: 120 }), ", reference ", foreign(one.external_ref, { class: "mono", limit: 80 })));
}

function waitingWords(job) {
  const state = stateOf(job.state);
  return [
    h("p", { class: "run-title" }, waitSentence(job.wait_reason) || state.label),
    h("p", { class: "faint" }, state.meaning),
    job.error?.message ? h("p", { class: "said" }, foreign(job.error.message, { limit: 1000 })) : null,
  ];
}

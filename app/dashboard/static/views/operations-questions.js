// Questions: every job that waits for a person, the most urgent first, answered on the spot.

import { duration, visible } from "../core.js";
import { fill, foreign, h, keyed, setText, time } from "../dom.js";
import { icon } from "../icons.js";
import { QuestionSection } from "../elements/detail/question.js";
import { refusedNotice } from "../elements/detail/refused.js";
import { frame, nothing, scoped, Watch } from "../operations/frame.js";
import { projectOf } from "../projects.js";
import { portalName } from "../words.js";

export const title = "Questions";

const KINDS = {
  otp: "One-time code", captcha: "Prove that a person is there", approval: "Approve a submission", choice: "A choice at the portal",
  fix: "Something to mend at the portal", outcome: "Did the portal take it?",
};

export function mount(root, page) {
  return scoped(root, page, build);
}

function build(root, page) {
  const { body, scope, asOf } = frame(root, page, { heading: h("h1", {}, "Questions"), lead: "What waits for a person’s answer" });
  const list = h("ul", { class: "ops-questions" });
  const more = h("p", { class: "faint", hidden: true }, "There are more; they show as these are answered.");
  const cards = new Map();
  const refused = refusedNotice();
  body.before(refused.element);
  const watch = new Watch({
    api: page.api, scope, body, asOf,
    load: (signal) => page.api.get("/api/operations/questions", { project: scope.project }, { signal }),
    draw: (answer) => {
      if (answer.items.length === 0) fill(body, nothing("check", "Nobody is waited for", "When a portal asks for a code, an approval or a choice, it stands here."));
      else if (!list.isConnected) fill(body, list, more);
      more.hidden = !answer.more;
      const rows = keyed(list, answer.items, {
        key: (item) => `${item.job_id}/${item.asked_at}`,
        create: (item) => {
          const card = new Card(item, page, { read: () => watch.read(), say: refused.say });
          cards.set(card.element, card);
          return card.element;
        },
      });
      const left = new Set(rows.values());
      for (const [element, card] of cards) if (!left.has(element)) {
        card.leave({ pushedOut: answer.more });
        cards.delete(element);
      }
    },
  });
  const ticker = setInterval(() => cards.forEach((card) => card.tick()), 1000);
  return () => {
    clearInterval(ticker);
    watch.close();
    cards.forEach((card) => card.dispose());
  };
}

class Card {
  #question = null;
  #said = false;

  /** `read()` reads the list again; `say(words)` says what a card that goes cannot say itself. */
  constructor(item, page, { read, say }) {
    Object.assign(this, { item, page, read, say });
    this.left = h("span", { class: "figure left" });
    this.place = h("div", { class: "place" });
    this.button = h("button", { type: "button", "aria-expanded": "false", onClick: () => this.#toggle() }, icon("question"), "Answer…");
    this.element = h("li", { class: "card", "data-tone": "warn" },
      h("div", { class: "top" }, h("h2", {}, KINDS[item.kind] ?? item.kind), this.left),
      h("p", { class: "said" }, foreign(item.prompt, { limit: 500 })),
      h("div", { class: "top small" },
        h("a", { href: `/records/${encodeURIComponent(item.record_id)}` }, foreign(item.asset_key || item.external_ref, { limit: 80 })),
        item.asset_key ? foreign(item.external_ref, { class: "mono faint", limit: 40 }) : null, h("span", { class: "faint" }, portalName(item.portal)),
        foreign(item.project, { class: "faint", limit: 60 }), h("span", { class: "faint" }, "asked ", time(item.asked_at)), this.button),
      this.place);
    this.tick();
  }

  tick() {
    if (!this.item.expires_at) return setText(this.left, "no deadline");
    const ms = Date.parse(this.item.expires_at) - Date.now();
    setText(this.left, ms > 0 ? `${duration(Math.ceil(ms / 1000) * 1000)} left` : "the time is over");
    if (ms < 60_000) this.element.dataset.tone = "bad";
  }

  dispose() {
    this.#question?.dispose();
  }

  /** It waits no more, or others wait more urgently: who had begun to answer hears that somebody else was quicker. */
  leave({ pushedOut }) {
    if (this.#question && !this.#question.busy && !this.#said && !pushedOut) this.#refused("Nobody is waited for any more: it was answered by somebody else, or its time is over.");
    this.dispose();
  }

  #refused(words) {
    this.#said = true;
    this.say(`${visible(this.item.asset_key || this.item.external_ref, 80)}: ${words}`);
  }

  #changed(job) {
    if (job) {
      this.#said = true;
      this.say("");
    }
    this.read();
  }

  async #toggle() {
    if (this.#question) {
      this.#question.dispose();
      this.#question = null;
      fill(this.place);
      this.button.setAttribute("aria-expanded", "false");
      return;
    }
    this.button.setAttribute("aria-expanded", "true");
    this.#said = false;
    const question = (this.#question = new QuestionSection({ api: this.page.api, onChange: (job) => this.#changed(job), onRefused: (words) => this.#refused(words) }));
    fill(this.place, question.element);
    try {
      const job = await this.page.api.get(`/api/jobs/${encodeURIComponent(this.item.job_id)}`);
      question.update(null, job, projectOf(this.page.me, job.project)?.role ?? "viewer");
      if (job.state !== "needs_input") this.read();
    } catch (problem) {
      fill(this.place, h("p", { class: "answer", role: "alert" }, `The question could not be loaded: ${problem.message}`));
    }
  }
}

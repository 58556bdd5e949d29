// <form-stats-cards project>: four numbers that answer "is everything all right?", kept fresh by the live feed. An
// empty project is all of them.

import { apiFor } from "../api.js";
import { clock, count, duration } from "../core.js";
import { h, setAttr, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { STATES } from "../states.js";

const AGAIN_MS = 5000;
const CARDS = [
  { id: "attention", label: "Needs attention", icon: "alert" },
  { id: "progress", label: "In progress", icon: "gear" },
  { id: "done", label: "Completed today", icon: "check" },
  { id: "speed", label: "Typical run", icon: "clock" },
];

class FormStatsCards extends HTMLElement {
  static observedAttributes = ["project"];
  #feed = null;
  #cards = null;
  #mix = h("div", { class: "mix", role: "img", "aria-label": "No numbers yet" });
  #old = h("p", { class: "old", hidden: true });
  #shownAt = "";
  #again = 0;
  #refresh = throttle(() => this.#load(), 1000);
  #onJob = ({ detail }) => {
    if (detail.previous?.state !== detail.job.state) this.#refresh();
  };

  connectedCallback() {
    this.#cards ??= this.#build();
    this.#follow();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && before !== after) this.#follow();
  }

  #build() {
    const cards = Object.fromEntries(CARDS.map((card) => {
      const parts = { value: h("span", { class: "value" }, "–"), note: h("span", { class: "sub" }) };
      const label = h("span", { class: "label" }, icon(card.icon), card.label);
      return [card.id, { ...parts, el: h("div", { class: "card stat", "data-card": card.id }, label, parts.value, parts.note) }];
    }));
    this.append(h("div", { class: "stats" }, Object.values(cards).map((card) => card.el)), this.#mix, this.#old);
    return cards;
  }

  #leave() {
    this.#refresh.cancel();
    clearTimeout(this.#again);
    this.#feed?.removeEventListener("job", this.#onJob);
    this.#feed?.removeEventListener("resync", this.#refresh);
    this.#feed?.release();
    this.#feed = null;
  }

  #follow() {
    this.#leave();
    if (!this.hasAttribute("project")) return;
    this.#feed = acquireFeed(apiFor(this), { project: this.getAttribute("project") });
    this.#feed.addEventListener("job", this.#onJob);
    this.#feed.addEventListener("resync", this.#refresh);
    this.#load();
  }

  async #load() {
    const project = this.getAttribute("project");
    const feed = this.#feed;
    try {
      const stats = await apiFor(this).get("/api/stats", { project });
      if (feed !== this.#feed) return;
      this.#show(stats);
      this.dispatchEvent(new CustomEvent("stats", { detail: stats }));
    } catch (problem) {
      if (feed !== this.#feed) return; // it shows something else by now, or nothing
      this.#say(`${this.#shownAt ? `Numbers of ${this.#shownAt}` : "No numbers yet"}. ${problem.message}`);
      if (problem.passing) this.#again = setTimeout(this.#refresh, AGAIN_MS);
    }
  }

  #say(old) {
    this.toggleAttribute("data-stale", old !== "");
    this.#old.hidden = old === "";
    setText(this.#old, old);
  }

  #show(stats) {
    this.#shownAt = clock(new Date().toISOString());
    this.#say("");
    const of = (...states) => states.reduce((sum, state) => sum + (stats.by_state[state] ?? 0), 0);
    const { attention, progress, done, speed } = this.#cards;
    setText(attention.value, count(stats.needs_attention));
    setText(attention.note, attentionNote(of));
    setAttr(attention.el, "data-tone", stats.needs_attention > 0 ? "bad" : "good");
    setText(progress.value, count(of("processing", "queued", "retrying")));
    setText(progress.note, `${count(of("processing"))} processing, ${count(of("queued", "retrying"))} waiting their turn`);
    setText(done.value, count(stats.completed_today));
    setText(done.note, `of ${count(stats.received_today)} received today`);
    setText(speed.value, stats.median_run_s === null ? "–" : duration(stats.median_run_s * 1000));
    setText(speed.note, stats.median_run_s === null ? "no run has finished yet" : "median, start to confirmation");
    this.#showMix({ ...stats.by_state, completed: stats.completed_today });
  }

  #showMix(byState) {
    const shown = Object.entries(STATES).filter(([name]) => byState[name] > 0);
    this.#mix.replaceChildren(...shown.map(([name, state]) => {
      const part = h("span", { "data-tone": state.tone, title: `${state.label}: ${count(byState[name])}` });
      part.style.flexGrow = byState[name];
      return part;
    }));
    setAttr(this.#mix, "aria-label", shown.map(([name, state]) => `${state.label} ${byState[name]}`).join(", ") || "No records");
  }
}

function attentionNote(of) {
  const parts = [[of("failed"), "failed"], [of("needs_input"), "waiting for an answer"], [of("held"), "on hold"]].filter(([n]) => n > 0);
  return parts.length > 0 ? parts.map(([n, word]) => `${count(n)} ${word}`).join(", ") : "nothing is waiting for you";
}

customElements.define("form-stats-cards", FormStatsCards);

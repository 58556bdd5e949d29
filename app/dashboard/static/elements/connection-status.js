// <connection-status project>: says whether what the page shows is live, and how old it may be where it is not; pressed, it
// tells more. Other parts read `phase`, `health` and `missed`, and hear `change`; `latency` tells how long changes took.

import { apiFor } from "../api.js";
import { clock, duration, plural } from "../core.js";
import { fill, h, onFrame, setAttr, setText } from "../dom.js";
import { acquireFeed } from "../feed.js";

const PHASES = {
  connecting: { label: "Connecting…", tone: "mute" },
  live: { label: "Live", tone: "good" },
  degraded: { label: "Live, degraded", tone: "warn" },
  reconnecting: { label: "Reconnecting…", tone: "warn" },
  paused: { label: "Paused", tone: "mute" },
  denied: { label: "Not allowed", tone: "bad" },
};
const OLD_MS = 45_000; // a live stream says how far it reaches every 15 s, of what was proven 10 s before at most
const SAID_MS = 15_000; // how long the page says what it missed
const EVENTS = ["status", "caught-up", "latency"];

class ConnectionStatus extends HTMLElement {
  static observedAttributes = ["project"];
  #feed = null;
  #parts = null;
  #ticker = 0;
  #missed = null;
  #render = () => this.#show();
  #hear = (event) => this.#take(event);

  get phase() {
    return this.#feed?.phase ?? "connecting";
  }

  get health() {
    return this.#feed?.health ?? { progress: "live", status: "listen" };
  }

  /** Since when it is in its phase, as an ISO time. */
  get since() {
    return this.#feed ? new Date(this.#feed.since).toISOString() : null;
  }

  /** What a break made the page miss, {missed, away}, for a while after it was mended; else null. */
  get missed() {
    return this.#missed && Date.now() - this.#missed.at < SAID_MS ? this.#missed : null;
  }

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#follow();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && this.#parts && before !== after) this.#follow();
  }

  #build() {
    // The age ticks: outside of what is read aloud.
    const parts = { word: h("span", { role: "status" }), age: h("span", { class: "age", "aria-hidden": "true" }), panel: h("div", { class: "connection-panel", popover: "auto" }) };
    parts.button = h("button", { type: "button", class: "quiet" }, h("span", { class: "dot", "aria-hidden": "true" }), parts.word, parts.age);
    parts.button.popoverTargetElement = parts.panel;
    parts.panel.addEventListener("beforetoggle", (event) => {
      if (event.newState === "open") this.#place();
    });
    parts.panel.addEventListener("toggle", this.#render);
    this.append(parts.button, parts.panel);
    return parts;
  }

  #place() {
    const { left, right, bottom } = this.#parts.button.getBoundingClientRect();
    const { style } = this.#parts.panel;
    style.top = `${bottom + 4}px`;
    const [narrow, onTheLeft] = [innerWidth < 480, (left + right) / 2 < innerWidth / 2];
    style.left = narrow ? "8px" : onTheLeft ? `${left}px` : "auto";
    style.right = narrow ? "8px" : onTheLeft ? "auto" : `${innerWidth - right}px`;
  }

  #leave() {
    this.#tick(false);
    for (const name of EVENTS) this.#feed?.removeEventListener(name, this.#hear);
    this.#feed?.release();
    this.#feed = null;
  }

  #follow() {
    this.#leave();
    this.#missed = null;
    if (!this.hasAttribute("project")) return onFrame(this.#render);
    this.#feed = acquireFeed(apiFor(this), { project: this.getAttribute("project") });
    for (const name of EVENTS) this.#feed.addEventListener(name, this.#hear);
    this.#show();
  }

  #take({ type, detail }) {
    if (type === "caught-up" && detail.missed > 0) {
      this.#missed = { ...detail, at: Date.now() };
      setTimeout(this.#render, SAID_MS + 50);
    }
    if (type === "latency") {
      const { lags, clock: { doubt } } = this.#feed;
      this.dispatchEvent(new CustomEvent("latency", { detail: { ms: detail.ms, count: lags.count, p50: lags.quantile(0.5), p95: lags.quantile(0.95), doubt } }));
      if (this.#parts.panel.childElementCount === 0) return;
    }
    onFrame(this.#render);
  }

  #show() {
    if (!this.#parts) return;
    const degraded = this.phase === "live" && (this.health.progress === "degraded" || this.health.status === "poll");
    const { label, tone } = PHASES[degraded ? "degraded" : this.phase];
    setText(this.#parts.word, label);
    setAttr(this, "data-tone", tone);
    setAttr(this, "data-phase", this.phase);
    const open = this.#parts.panel.matches(":popover-open");
    fill(this.#parts.panel, open ? this.#details() : null);
    if (open) this.#place();
    this.#showAge();
    this.#tick(open || this.phase !== "live" || this.health.status === "poll");
    this.dispatchEvent(new Event("change"));
  }

  #showAge() {
    const old = this.#feed && (this.phase === "reconnecting" || this.phase === "paused" || this.health.status === "poll" || this.#feed.age() > OLD_MS);
    setText(this.#parts.age, old ? [this.#ageWords(), this.#tryWords()].filter(Boolean).join(" · ") : "");
  }

  #ageWords() {
    const age = this.#feed?.age() ?? null;
    return age === null ? "" : `as of ${seconds(age)} ago`;
  }

  #tryWords() {
    if (!this.#feed || this.#feed.tries === 0 || this.phase === "live") return "";
    const { tries, next } = this.#feed;
    const wait = next === null ? 0 : next - Date.now();
    return wait > 500 ? `try ${tries} in ${seconds(wait)}` : `try ${tries} now`;
  }

  #details() {
    const feed = this.#feed;
    if (!feed) return [];
    const { lags, clock: server } = feed;
    const rows = [
      ["State", `${PHASES[this.phase].label.replace("…", "")} since ${clock(new Date(feed.since).toISOString())}`],
      ["Shown", this.#ageWords() || "not known yet"],
      ["Next try", this.#tryWords()],
      ["Status", this.health.status === "poll" ? "asked for every few seconds" : "told at once"],
      ["Progress", this.health.progress === "degraded" ? "degraded" : "live"],
      ["Commit to screen", lags.count === 0 ? "no change yet" : `${ms(lags.quantile(0.5))} typical, ${ms(lags.quantile(0.95))} at p95 (${plural(lags.count, "change")}, ± ${ms(server.doubt)})`],
      ["Last break", this.#missed ? `${seconds(this.#missed.away)}, ${plural(this.#missed.missed, "change")} missed and shown since` : ""],
    ];
    return h("dl", { class: "facts" }, rows.filter(([, text]) => text).map(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
  }

  #tick(needed) {
    if (needed === this.#ticker > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = needed ? setInterval(this.#render, 1000) : 0;
  }
}

const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const seconds = (value) => (value < 59_500 ? `${Math.round(value / 1000)} s` : duration(value));

customElements.define("connection-status", ConnectionStatus);

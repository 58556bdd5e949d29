// <connection-status>: says whether what the page shows is live. Other parts read `phase` and `health`, and hear `change`.

import { apiFor } from "../api.js";
import { clock } from "../core.js";
import { h, onFrame, setAttr, setText } from "../dom.js";
import { acquireFeed } from "../feed.js";

const PHASES = {
  connecting: { label: "Connecting…", tone: "mute" },
  live: { label: "Live", tone: "good" },
  degraded: { label: "Live, degraded", tone: "warn" },
  reconnecting: { label: "Reconnecting…", tone: "warn" },
  paused: { label: "Paused", tone: "mute" },
  denied: { label: "Not allowed", tone: "bad" },
};

class ConnectionStatus extends HTMLElement {
  static observedAttributes = ["project"];
  #feed = null;
  #word = h("span", {});
  #render = () => this.#show();

  get phase() {
    return this.#feed?.phase ?? "connecting";
  }

  get health() {
    return this.#feed?.health ?? { progress: "live", status: "listen" };
  }

  connectedCallback() {
    if (!this.#word.isConnected) this.append(h("span", { class: "dot", "aria-hidden": "true" }), this.#word);
    this.setAttribute("role", "status");
    this.#follow();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && before !== after) this.#follow();
  }

  #leave() {
    this.#feed?.removeEventListener("status", this.#render);
    this.#feed?.release();
    this.#feed = null;
  }

  #follow() {
    this.#leave();
    if (!this.hasAttribute("project")) return onFrame(this.#render);
    this.#feed = acquireFeed(apiFor(this), { project: this.getAttribute("project") });
    this.#feed.addEventListener("status", this.#render);
    this.#show();
  }

  #show() {
    const degraded = this.phase === "live" && (this.health.progress === "degraded" || this.health.status === "poll");
    const { label, tone } = PHASES[degraded ? "degraded" : this.phase];
    setText(this.#word, label);
    setAttr(this, "data-tone", tone);
    setAttr(this, "data-phase", this.phase);
    if (this.#feed) setAttr(this, "title", `Since ${clock(new Date(this.#feed.since).toISOString())}`);
    this.dispatchEvent(new Event("change"));
  }
}

customElements.define("connection-status", ConnectionStatus);

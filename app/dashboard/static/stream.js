// Server-sent events over fetch, for cookie and bearer token alike. Unlike EventSource it sees the heartbeats, so that a
// connection that died quietly (a laptop that slept) is noticed, what they tell of the server's time, and the status of a refusal.

import { localNow } from "./clock.js";

const SILENCE_MS = 40_000; // the server sends a comment every 15 s
const QUIET_MS = 20_000; // whoever comes back after so long does not wait for the silence
const BUDGET_MS = 12; // of events at a stretch: then the page may draw and answer the person
const PATIENCE_MS = 2000; // a stream that ended in good order may take so long to begin anew before it is called a break
const HIDDEN_MS = 60_000; // a browser opens six connections an origin: tabs nobody sees give theirs back

/** Cuts a byte stream's text into events, as the HTML standard's "event stream interpretation" says. */
export class SseParser {
  #rest = "";
  #data = [];
  #type = "";
  lastEventId = "";
  retry = null;

  push(text) {
    const events = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === "") this.#dispatch(events);
      else this.#field(line, events);
    }
    return events;
  }

  #field(line, events) {
    const colon = line.indexOf(":");
    if (colon === 0) return this.#comment(line.slice(1), events);
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.lastEventId = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }

  // Ours tell times of the server, in seconds: `now`, and `as_of`, up to which everything has been told.
  #comment(text, events) {
    const beat = {};
    for (const [, name, value] of text.matchAll(/(\w+)=(\d+(?:\.\d+)?)/g)) beat[name] = Number(value) * 1000;
    events.push({ type: "", data: "", id: "", beat });
  }

  #dispatch(events) {
    if (this.#data.length > 0) events.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.lastEventId });
    this.#data = [];
    this.#type = "";
  }
}

/** How long to wait before the next try, in milliseconds: doubling, capped at 15 s, spread so that not all come at once. */
export function backoff(failures, base = 2000, random = Math.random) {
  const full = Math.min(15_000, base * 2 ** Math.min(failures, 6));
  return failures === 0 ? 200 + random() * 600 : full / 2 + (random() * full) / 2;
}

/**
 * A stream that stays open. `onEvent({type, data, id})`; `onBeat(times, {asked, heard})` with the server's times of a
 * heartbeat and the local ones of the request and of its arrival; `onPhase(phase, {status, tries, next})` with connecting, live,
 * reconnecting, paused or denied: `tries` numbers the next try since it last worked, at `next` (null: now). After a break it resumes
 * from the last id it saw. The server ends each stream after a while: one that ended in good order, having told everything, goes on
 * as live while the next begins.
 */
export class LiveStream {
  #abort = null;
  #timers = {};
  #failures = 0;
  #heard = Date.now();
  #lastId = "";
  #closed = false;
  #everLive = false;
  #retryMs = 2000;
  #toldAll = false;

  constructor({ url, headers = {}, credentials = "same-origin", onEvent, onBeat, onPhase }) {
    Object.assign(this, { url, headers, credentials, onEvent, onBeat, onPhase });
    this.wake = () => this.#wake();
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.wake);
    this.#connect();
  }

  close() {
    this.#closed = true;
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.wake);
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#abort?.abort();
  }

  async #connect({ quiet = false } = {}) {
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.patience);
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    if (quiet) this.#timers.patience = setTimeout(() => this.#tell(null), PATIENCE_MS);
    else this.#tell(null);
    let inOrder = false;
    try {
      this.#alive();
      const asked = localNow();
      const headers = { ...this.headers, Accept: "text/event-stream" };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const answer = await fetch(this.url, { headers, credentials: this.credentials, cache: "no-store", signal: abort.signal });
      if (answer.status === 401 || answer.status === 403 || answer.status === 404) return this.#denied(answer.status);
      // The server no longer understands the place we stopped at: start over with a snapshot.
      if (answer.status === 400) this.#lastId = "";
      if (!answer.ok || !answer.body) throw new Error(`stream answered ${answer.status}`);
      await this.#read(answer.body.getReader(), asked);
      inOrder = this.#toldAll;
    } catch {
      // Every way a stream can end is answered below: with another try.
    }
    if (!this.#closed && this.#abort === abort) this.#later(inOrder);
  }

  async #read(reader, asked) {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    this.#everLive = true;
    this.#toldAll = false;
    clearTimeout(this.#timers.patience);
    this.onPhase("live", {});
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const heard = localNow();
      this.#alive();
      this.#failures = 0;
      let began = performance.now();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.beat?.as_of) this.#toldAll = true;
        if (event.beat) this.onBeat(event.beat, { asked, heard });
        else this.onEvent(event);
        if (event.id) this.#lastId = event.id;
        if (performance.now() - began < BUDGET_MS) continue;
        await new Promise((resume) => setTimeout(resume));
        if (this.#closed) return;
        began = performance.now();
      }
      this.#retryMs = parser.retry ?? this.#retryMs;
    }
  }

  #alive() {
    this.#heard = Date.now();
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#connect(), SILENCE_MS);
  }

  #later(quiet) {
    clearTimeout(this.#timers.silence);
    clearTimeout(this.#timers.patience);
    if (document.hidden && this.#timers.paused) return;
    const wait = backoff(this.#failures, this.#retryMs);
    this.#failures += 1;
    this.#timers.retry = setTimeout(() => this.#connect({ quiet }), wait);
    if (!quiet) this.#tell(Date.now() + wait);
  }

  #tell(next) {
    this.onPhase(this.#everLive ? "reconnecting" : "connecting", { tries: this.#failures, next });
  }

  #denied(status) {
    this.close();
    this.onPhase("denied", { status });
  }

  #wake() {
    clearTimeout(this.#timers.hidden);
    if (document.hidden) {
      this.#timers.hidden = setTimeout(() => this.#pause(), HIDDEN_MS);
    } else if (this.#timers.paused || this.#failures > 0 || Date.now() - this.#heard > QUIET_MS) {
      this.#timers.paused = 0;
      this.#failures = 0;
      this.#connect();
    }
  }

  #pause() {
    this.#timers.paused = 1;
    clearTimeout(this.#timers.silence);
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.patience);
    this.onPhase("paused", {});
    this.#abort?.abort();
  }
}

// One live feed a scope, shared by all elements of a page that ask for the same: a stream into a JobStore.
// Events: `job` {job, previous}, `resync` {reason}, `status` (read `phase`, `since`, `health`, `tries`, `next`, `asOf`),
// `caught-up` {missed, away}, `latency` {ms}, `stale`: what the stream does not repeat may have changed, so read it again.

import { Lags, localNow, ServerClock } from "./clock.js";
import { JobStore } from "./core.js";
import { afterPaint, onFrame } from "./dom.js";
import { Gap } from "./gap.js";
import { LiveStream } from "./stream.js";

const POLL_MS = 10_000; // while records' own changes are not heard of

const feeds = new Map();

/** Get the feed for a scope ({project} or {record} or {job}; none: all). Give it back with `release()`. */
export function acquireFeed(api, scope = {}) {
  const url = api.url("/api/events", scope);
  const key = JSON.stringify([url.href, api.token]);
  if (!feeds.has(key)) feeds.set(key, new Feed(api, url, () => feeds.delete(key)));
  const feed = feeds.get(key);
  feed.users += 1;
  return feed;
}

class Feed extends EventTarget {
  users = 0;
  /** Who shows records puts in what says whether it shows one, by its id: their jobs are kept. */
  holders = new Set();
  store = new JobStore({ held: (recordId) => [...this.holders].some((holds) => holds(recordId)) });
  phase = "connecting";
  since = Date.now();
  health = { progress: "live", status: "listen" };
  tries = 0;
  next = null;
  clock = new ServerClock();
  lags = new Lags();
  /** Everything committed before this is shown: the server's time in milliseconds, null before it was ever said. */
  asOf = null;
  #gap = new Gap(null, null);
  #unpainted = [];
  #heard = false;
  #poll = setInterval(() => this.#heard || this.phase === "paused" || this.#stale(), POLL_MS);
  #stream;
  #forget;

  constructor(api, url, forget) {
    super();
    this.#forget = forget;
    this.#stream = new LiveStream({
      url,
      headers: api.headers(),
      credentials: api.token ? "omit" : "same-origin",
      onEvent: (event) => this.#take(event),
      onBeat: (beat, local) => this.#beat(beat, local),
      onPhase: (phase, more) => this.#turn(phase, more, api),
    });
  }

  release() {
    this.users -= 1;
    if (this.users > 0) return;
    clearInterval(this.#poll);
    this.#stream.close();
    this.#forget();
  }

  /** Take job views that came by the API, so that both sources agree. Returns the newest view. */
  merge(view) {
    if (!view) return null;
    const change = this.store.apply(view);
    // An answer may be quicker than the stream that comes back: what it tells first was missed all the same.
    if (change) this.#gap?.count(change);
    this.#tell(change);
    return this.store.get(view.id);
  }

  /** How old what is shown may be, in milliseconds; null while nobody has said. */
  age() {
    return this.asOf === null || !this.clock.known ? null : Math.max(0, this.clock.at() - this.asOf);
  }

  #turn(phase, { status, tries = 0, next = null }, api) {
    const turned = phase !== this.phase;
    if (!turned && tries === this.tries && next === this.next) return;
    if (turned && this.phase === "live") this.#gap = new Gap(Date.now(), this.asOf);
    if (turned) this.since = Date.now();
    Object.assign(this, { phase, tries, next });
    if (status === 401) api.dispatchEvent(new Event("unauthorised"));
    this.#turned();
  }

  // Changes of a record itself carry no place in the stream, and a server that polls its database hears of jobs only.
  #turned() {
    const heard = this.phase === "live" && this.health.status === "listen";
    if (heard && !this.#heard) this.#stale();
    this.#heard = heard;
    this.dispatchEvent(new Event("status"));
  }

  #stale() {
    this.dispatchEvent(new Event("stale"));
  }

  #take({ type, data }) {
    let body;
    try {
      body = JSON.parse(data);
    } catch {
      return;
    }
    if (type === "state") this.#change(body);
    else if (type === "progress") this.#tell(this.store.progress(body));
    else if (type === "snapshot") this.#snapshot(body);
    else if (type === "record") this.dispatchEvent(new CustomEvent("record", { detail: body }));
    else if (type === "health") {
      this.health = { progress: body.progress, status: body.status };
      this.#turned();
    }
  }

  #snapshot({ jobs = [], reason = "connect" }) {
    if (reason === "epoch") this.store.clear();
    // The server lost our place while we were connected.
    if (reason !== "connect") this.#gap ??= new Gap(Date.now(), this.asOf);
    for (const job of jobs) this.#change(job);
    this.dispatchEvent(new CustomEvent("resync", { detail: { reason } }));
    if (reason !== "connect") this.#stale();
  }

  #change(view) {
    const change = this.store.apply(view);
    if (!change) return;
    this.#tell(change);
    if (this.#gap) this.#gap.count(change);
    else this.#time(change.job);
  }

  // Only what came by itself, onto a page that is drawn, says how long that takes.
  #time(job) {
    if (document.hidden || !this.clock.known) return;
    const changed = Date.parse(job.changed_at);
    this.clock.heard(changed, localNow()); // nothing is heard of before it has happened
    this.#unpainted.push(changed);
    if (this.#unpainted.length === 1) onFrame(() => this.#draw());
  }

  /** What came before this frame is drawn when all is done that its rows asked for in turn; what comes from here on is drawn later. */
  #draw() {
    const drawn = this.#unpainted;
    this.#unpainted = [];
    afterPaint(() => this.#painted(drawn));
  }

  #painted(drawn) {
    const now = this.clock.at();
    const ms = drawn.map((changed) => Math.max(0, now - changed));
    for (const each of ms) this.lags.add(each);
    this.dispatchEvent(new CustomEvent("latency", { detail: { ms } }));
  }

  #beat(beat, { asked, heard }) {
    if (beat.arrived) {
      // A connection's first word; on another one another server may speak.
      this.clock = new ServerClock();
      this.clock.asked(beat.arrived, asked);
    }
    if (beat.now) this.clock.heard(beat.now, heard);
    if (!beat.as_of) return;
    this.asOf = beat.as_of;
    const gap = this.#gap;
    this.#gap = null;
    this.dispatchEvent(new Event("status"));
    if (gap && gap.from !== null) this.dispatchEvent(new CustomEvent("caught-up", { detail: { missed: gap.missed, away: Date.now() - gap.from } }));
  }

  #tell(change) {
    if (change) this.dispatchEvent(new CustomEvent("job", { detail: change }));
  }
}

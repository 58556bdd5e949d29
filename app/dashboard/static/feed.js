// One live feed a scope, shared by all elements of a page that ask for the same: a stream into a JobStore.
// Events: `job` {job, previous}, `resync` {reason}, `status` (read `phase`, `since`, `health`).

import { JobStore } from "./core.js";
import { LiveStream } from "./stream.js";

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
  store = new JobStore();
  phase = "connecting";
  since = Date.now();
  health = { progress: "live", status: "listen" };
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
      onPhase: (phase, status) => this.#turn(phase, status, api),
    });
  }

  release() {
    this.users -= 1;
    if (this.users > 0) return;
    this.#stream.close();
    this.#forget();
  }

  /** Take job views that came by the API, so that both sources agree. Returns the newest view. */
  merge(view) {
    if (!view) return null;
    this.#tell(this.store.apply(view));
    return this.store.get(view.id);
  }

  #turn(phase, status, api) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.since = Date.now();
    if (status === 401) api.dispatchEvent(new Event("unauthorised"));
    this.dispatchEvent(new Event("status"));
  }

  #take({ type, data }) {
    let body;
    try {
      body = JSON.parse(data);
    } catch {
      return;
    }
    if (type === "state") this.#tell(this.store.apply(body));
    else if (type === "progress") this.#tell(this.store.progress(body));
    else if (type === "snapshot") this.#snapshot(body);
    else if (type === "health") {
      this.health = { progress: body.progress, status: body.status };
      this.dispatchEvent(new Event("status"));
    }
  }

  #snapshot({ jobs = [], reason = "connect" }) {
    if (reason === "epoch") this.store.clear();
    for (const job of jobs) this.#tell(this.store.apply(job));
    this.dispatchEvent(new CustomEvent("resync", { detail: { reason } }));
  }

  #tell(change) {
    if (change) this.dispatchEvent(new CustomEvent("job", { detail: change }));
  }
}

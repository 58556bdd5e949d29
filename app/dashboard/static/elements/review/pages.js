// The records of a list from the newest to the last that is loaded, without a hole, and how many match. Knows no page: it tells
// its list what came.

const PAGE = 50;
const AGAIN_MS = 5000;
const PATIENCE_MS = 30_000; // a connection that died while the laptop slept never says so, and everything else waits for its answer
const PIECE = 200; // as many as one request gives
const GROWTH = 500; // rows beyond those asked for that are kept for whoever looks at them: in a night thousands come

export class ReviewPages {
  rows = [];
  known = new Set();
  next = null;
  loaded = false;
  #total = null;
  #size = PAGE; // rows that were asked for
  /** Whether the rows of the filter that holds are still to come; those that are there may be of the one before. */
  starting = false;
  #abort = null;
  #kind = "";
  #then = { more: false, refresh: false };
  #again = 0;
  #list;

  /**
   * `list` has `api`, `query()`, and is told `took(items)`, `failed(problem)`, `busy(whether)` and `stale()`: to refresh
   * soon. `held(id)`: whether a row must not be taken away, nor any above it.
   */
  constructor(list) {
    this.#list = list;
  }

  /** Whether the rows are all that match. */
  get whole() {
    return this.next === null;
  }

  /** {count, more} of what matches, or null while nobody knows. */
  get total() {
    return this.whole ? { count: this.rows.length, more: false } : this.#total;
  }

  /** Whether a record that came at this time, or before it, may be among the rows. */
  reach(time) {
    return this.whole || Date.parse(time) >= Date.parse(this.rows.at(-1).received_at);
  }

  /** `first` starts over, `more` adds a page, `refresh` asks again for what is shown and keeps the rows. */
  async load(kind) {
    if (kind === "first") this.stop();
    else if (this.#abort) return this.#later(kind);
    clearTimeout(this.#again);
    const abort = (this.#abort = new AbortController());
    this.#kind = kind;
    this.#then[kind] = false;
    this.starting ||= kind === "first";
    this.#list.busy(kind !== "refresh" || this.#then.more);
    const [page, problem] = await this.#read(kind, abort.signal).then((found) => [found], (caught) => [null, caught]);
    if (this.#abort !== abort) return;
    this.#abort = null;
    if (problem) return this.#fail(problem, kind);
    this.#accept(page, kind);
    this.#list.took(page.items);
    this.#go();
  }

  // What is being read is let come: refreshes that are asked for quicker than they are answered would keep each other from ever coming.
  #later(kind) {
    if (kind === "more" && this.#kind !== "refresh") return; // a page is on its way
    this.#then[kind] = true;
    if (kind === "more") this.#list.busy(true);
  }

  #go() {
    const more = this.#then.more && !this.whole;
    this.#then.more = false;
    this.#list.busy(more);
    if (more) this.load("more");
    else if (this.#then.refresh) this.#list.stale();
  }

  #fail(problem, kind) {
    if (kind === "first") [this.rows, this.known, this.next] = [[], new Set(), null];
    // The page that was asked for comes after the refresh that comes next.
    this.#then.more = Boolean(problem.passing) && (this.#then.more || kind === "more");
    this.#list.busy(this.#then.more);
    this.#list.failed(problem);
    // Nobody should have to press a button because a server was restarted.
    if (problem.passing) this.#again = setTimeout(() => this.load(kind === "more" ? "refresh" : kind), AGAIN_MS);
  }

  /** Ask how many match, if that is not plain. */
  async count() {
    if (this.whole) return;
    const wanted = this.#list.query();
    try {
      const total = await this.#list.api.get("/api/records/count", wanted);
      if (JSON.stringify(wanted) === JSON.stringify(this.#list.query())) this.#total = total;
    } catch {
      this.#total = null; // the list itself says when the server cannot be reached
    }
  }

  /** Another filter: what was counted is of the one before. */
  forgetTotal() {
    this.#total = null;
  }

  /** Ask for nothing any more. */
  stop() {
    clearTimeout(this.#again);
    this.#abort?.abort();
    this.#abort = null;
    this.#then = { more: false, refresh: false };
  }

  /**
   * A page. A refresh reads from the newest row to the last one that is held, as many as were asked for at least: what it left out
   * would stay old, or lie in a hole. What came meanwhile pushes out what nobody looks at.
   */
  async #read(kind, signal) {
    const query = this.#list.query();
    const ask = (limit, cursor) => this.#list.api.get("/api/records", { ...query, limit, cursor }, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (kind !== "refresh") return ask(PAGE, kind === "more" ? this.next : null);
    const last = this.rows.findLast((row) => this.#list.held(row.id));
    const items = [];
    let next = null;
    do {
      const page = await ask(Math.min(PIECE, Math.max(PAGE, this.#size - items.length)), next);
      items.push(...page.items);
      next = page.next;
    } while (next && items.length < this.#size + GROWTH && (items.length < this.#size || !reaches(items, last)));
    return { items, next };
  }

  #accept({ items, next }, kind) {
    const [fresh, before] = [new Set(items.map((row) => row.id)), new Map(this.rows.map((row) => [row.id, row]))];
    // A row that is as it was stays the same object, so that nobody draws it again.
    const read = items.map((row) => (JSON.stringify(row) === JSON.stringify(before.get(row.id)) ? before.get(row.id) : row));
    this.rows = kind === "more" ? [...this.rows.filter((row) => !fresh.has(row.id)), ...read] : read;
    this.next = next;
    if (kind !== "refresh") this.#size = Math.max(PAGE, this.rows.length);
    this.known = new Set(this.rows.map((row) => row.id));
    this.loaded = true;
    this.starting = false;
  }
}

/** Whether rows, newest first, come down to where `last` stands or stood. */
function reaches(rows, last) {
  return !last || rows.some((row) => row.id === last.id) || Date.parse(rows.at(-1).received_at) < Date.parse(last.received_at);
}

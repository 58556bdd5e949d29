// The records of a list as far as they are loaded, and how many match. Knows no page: it tells its list what came.

const PAGE = 50;
const AGAIN_MS = 5000;
const MOST = 200; // rows asked for again in one refresh

export class ReviewPages {
  rows = [];
  known = new Set();
  next = null;
  loaded = false;
  #total = null;
  #abort = null;
  #again = 0;
  #list;

  /** `list` has `api`, `query()`, and is told `took(items)`, `failed(problem)` and `busy(whether)`. */
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

  /** `first` starts over, `more` adds a page, `refresh` asks again for what is shown and keeps the rows. */
  async load(kind) {
    if (kind === "more" && this.#abort) return;
    this.stop();
    const abort = (this.#abort = new AbortController());
    this.#list.busy(kind !== "refresh");
    const limit = kind === "refresh" ? Math.min(MOST, Math.max(PAGE, this.rows.length)) : PAGE;
    const query = { ...this.#list.query(), limit };
    if (kind === "more") query.cursor = this.next;
    try {
      const page = await this.#list.api.get("/api/records", query, { signal: abort.signal });
      this.#accept(page, kind);
      this.#list.took(page.items);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (kind === "first") [this.rows, this.known] = [[], new Set()];
      this.#list.failed(problem);
      // Nobody should have to press a button because a server was restarted.
      if (problem.passing) this.#again = setTimeout(() => this.load(kind === "more" ? "refresh" : kind), AGAIN_MS);
    }
    if (this.#abort === abort) {
      this.#abort = null;
      this.#list.busy(false);
    }
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
  }

  #accept({ items, next }, kind) {
    const fresh = new Set(items.map((row) => row.id));
    const kept = this.rows.filter((row) => !fresh.has(row.id));
    if (kind === "more") {
      this.rows = [...kept, ...items];
      this.next = next;
    } else {
      const last = items.at(-1);
      const older = next && last ? kept.filter((row) => Date.parse(row.received_at) <= Date.parse(last.received_at)) : [];
      this.rows = kind === "first" ? items : [...items, ...older];
      if (kind === "first" || older.length === 0) this.next = next;
    }
    this.known = new Set(this.rows.map((row) => row.id));
    this.loaded = true;
  }
}

// DOM-free parts: how values are shown, and the store that keeps the newest view of each job. Never touches the network.

// Characters that change how the text around them is drawn, or that cannot be seen at all.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text with its control and direction characters spelled out; what is spelled out already stays as it is. */
export const spelled = (value) =>
  String(value ?? "").replace(INVISIBLE, (c) => (c === "\r" ? "" : `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`));

/** Text from outside as it may be shown: spelled out, the length capped. */
export function visible(value, limit = 4000) {
  const text = String(value ?? "");
  return spelled(text.length > limit ? `${text.slice(0, limit)}… (${text.length - limit} more characters)` : text);
}

/** What `map` itself has for a key from outside: never what every object inherits, as `constructor`. */
export const own = (map, key) => (Object.hasOwn(map, key ?? "") ? map[key] : undefined);

/** An address that may become a link: http(s) only; with `origin`, only of that origin. Null for everything else. */
export function safeUrl(value, { base, origin } = {}) {
  if (typeof value !== "string" || value === "") return null;
  try {
    const url = new URL(value, base);
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    return origin === undefined || url.origin === origin ? url.href : null;
  } catch {
    return null;
  }
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const EXACT = new Intl.DateTimeFormat("en", {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23", timeZoneName: "short",
});

const when = (iso) => {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** "3 min ago"; days from a week on as a date. Empty for no time. */
export function ago(iso, now = Date.now()) {
  const date = when(iso ?? NaN);
  if (!date) return "";
  const seconds = (date.getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 10) return "just now";
  // Where it would be rounded to sixty of one, it is one of the next.
  if (size < 59.5) return RELATIVE.format(Math.round(seconds), "second");
  if (size < 59.5 * 60) return RELATIVE.format(Math.round(seconds / 60), "minute");
  if (size < 23.5 * 3600) return RELATIVE.format(Math.round(seconds / 3600), "hour");
  if (size < 7 * 86400) return RELATIVE.format(Math.round(seconds / 86400), "day");
  return DAY.format(date);
}

export const clock = (iso) => (iso && when(iso) ? CLOCK.format(when(iso)) : "");
/** The time of day, with its day where that is not today, and the year where it is not this one. Empty for no time. */
export function moment(iso, now = new Date()) {
  const date = iso ? when(iso) : null;
  if (!date || date.toDateString() === now.toDateString()) return clock(iso);
  const day = date.getFullYear() === now.getFullYear() ? DAY : DAY_OF_YEAR;
  return `${day.format(date)}, ${CLOCK.format(date)}`;
}

export const exact = (iso) => (iso && when(iso) ? EXACT.format(when(iso)) : "");

/** A length of time in milliseconds: "0.4 s", "12 s", "2 min 05 s", "1 h 12 min". */
export function duration(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "";
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

export const between = (from, to) => (from && to ? duration(Date.parse(to) - Date.parse(from)) : "");

/** Bytes with a decimal unit: "812 B", "3.4 MB". */
export function bytes(count) {
  if (!Number.isFinite(count)) return "";
  const units = ["B", "kB", "MB", "GB"];
  let size = count;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export const count = (n) => new Intl.NumberFormat("en").format(n ?? 0);
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

const MOST = 1000; // views of jobs that nobody shows: a page may stay open for days

/**
 * The newest view of each job, whatever order the answers and events come in.
 * A view older than the one known is dropped by its `seq`; progress of an attempt that is over is dropped by its number.
 */
export class JobStore {
  #jobs = new Map(); // what changed last stands last
  #newest = new Map();
  #most;
  #limit;
  #held;

  /** Keeps the jobs of records that are `held(recordId)`, and of the others the `most` that changed last, up to twice as many. */
  constructor({ most = MOST, held = () => false } = {}) {
    this.#most = most;
    this.#limit = 2 * most;
    this.#held = held;
  }

  get size() {
    return this.#jobs.size;
  }

  get(id) {
    return this.#jobs.get(id);
  }

  /** The newest job of a record (ids are time-ordered). */
  forRecord(recordId) {
    return this.#jobs.get(this.#newest.get(recordId));
  }

  /** Take a view from the API or the stream. Returns {job, previous} when it is news, else null. */
  apply(view) {
    const known = this.#jobs.get(view.id);
    if (known && (view.seq < known.seq || (view.seq === known.seq && !newer(view.progress, known.progress)))) return null;
    const job = { ...view, progress: carriedProgress(view, known) };
    const newest = this.#newest.get(job.record_id);
    if (newest === undefined || newest < job.id) this.#newest.set(job.record_id, job.id);
    this.#keep(job);
    return { job, previous: known ?? null };
  }

  /** Take a progress message. Returns {job, previous} when it belongs to the attempt that runs, else null. */
  progress(progress) {
    const known = this.#jobs.get(progress.job_id);
    if (!known || known.state !== "processing" || progress.attempt !== known.attempt) return null;
    if (!newer(progress, known.progress)) return null;
    const job = { ...known, progress };
    this.#keep(job);
    return { job, previous: known };
  }

  #keep(job) {
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, job);
    if (this.#jobs.size <= this.#limit) return;
    const others = [...this.#jobs.values()].filter((each) => !this.#held(each.record_id));
    for (const each of others.slice(0, -this.#most)) {
      this.#jobs.delete(each.id);
      if (this.#newest.get(each.record_id) === each.id) this.#newest.delete(each.record_id);
    }
    this.#limit = this.#jobs.size + this.#most;
  }

  /** Forget everything: after a restore of the database the numbers may start lower. */
  clear() {
    this.#jobs.clear();
    this.#newest.clear();
  }
}

function newer(progress, known) {
  if (!progress) return false;
  if (!known) return true;
  return progress.attempt > known.attempt || (progress.attempt === known.attempt && Date.parse(progress.at) > Date.parse(known.at));
}

function carriedProgress(view, known) {
  if (view.state !== "processing") return null;
  const held = known?.progress?.attempt === view.attempt ? known.progress : null;
  const sent = view.progress?.attempt === view.attempt ? view.progress : null;
  return newer(sent, held) ? sent : held;
}

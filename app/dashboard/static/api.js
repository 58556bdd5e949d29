// The public API over fetch: same-origin cookie, or a bearer token when an element is given one. Holds no record data.

import { safeUrl } from "./core.js";

/** An answer that is not 2xx, with what the error contract says (RFC 9457). */
export class ApiProblem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || (status === 0 ? "The server cannot be reached." : `The server answered ${status}.`));
    this.name = "ApiProblem";
    this.status = status;
    this.code = body.code ?? "";
    this.title = body.title ?? "";
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    /** The same question may well be answered in a moment. */
    this.passing = status === 0 || status === 429 || status >= 500;
  }
}

export class Api extends EventTarget {
  #me = null;

  constructor({ base = "", token = "" } = {}) {
    super();
    this.origin = new URL(base || location.origin, location.href).origin;
    this.token = token;
  }

  headers(more = {}) {
    return this.token ? { ...more, Authorization: `Bearer ${this.token}` } : more;
  }

  url(path, query = {}) {
    const url = new URL(path, this.origin);
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value)) for (const each of value) url.searchParams.append(name, each);
      else if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
    }
    return url;
  }

  get(path, query = {}, { signal } = {}) {
    return this.#send(this.url(path, query), { headers: this.headers({ Accept: "application/json" }), signal });
  }

  /** `csrf: false` for signing in, where there is no session to protect yet. */
  async send(method, path, body, { csrf: wanted = true, headers: more = {} } = {}) {
    const headers = this.headers({ ...more, Accept: "application/json", "Content-Type": "application/json" });
    const sent = (csrf) =>
      this.#send(this.url(path), { method, headers: csrf ? { ...headers, "X-CSRF-Token": csrf } : headers, body: JSON.stringify(body ?? {}) });
    if (this.token || !wanted) return sent(null);
    const me = await this.me();
    try {
      return await sent(me.csrf);
    } catch (problem) {
      if (problem.status !== 403) throw problem;
      // Perhaps it is not the role: with a session begun in another tab, the token is of the one before.
      const now = await this.me({ fresh: true });
      if (now.csrf === me.csrf) throw problem;
      if (now.name === me.name) return sent(now.csrf);
      this.dispatchEvent(new Event("somebody-else"));
      throw new ApiProblem(403, { detail: `By now ${now.name} is signed in here.` });
    }
  }

  /** Who is signed in; asked once, or again where it may be somebody else. */
  me({ fresh = false } = {}) {
    if (fresh || !this.#me) {
      this.#me = this.get("/api/me");
      this.#me.catch(() => { this.#me = null; });
    }
    return this.#me;
  }

  /** An address an <img> can load, or null: only of the API's own origin. With a token the bytes are fetched first. */
  async image(path) {
    const href = safeUrl(path, { base: this.origin, origin: this.origin });
    if (!href || !this.token) return href;
    return URL.createObjectURL(await (await this.#fetch(href, { headers: this.headers() })).blob());
  }

  /** Why an address is not answered, or null: it is. */
  async refusal(path) {
    const abort = new AbortController();
    try {
      await this.#fetch(this.url(path), { headers: this.headers(), signal: abort.signal });
      return null;
    } catch (problem) {
      return problem;
    } finally {
      abort.abort(); // the bytes are not wanted
    }
  }

  async #send(url, init) {
    const answer = await this.#fetch(url, init);
    if (!isJson(answer)) return {};
    try {
      return await answer.json();
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      throw new ApiProblem(0); // an answer that was cut short is none
    }
  }

  /** The answer, its body unread. Raises `ApiProblem` for every other than 2xx, and where there is none. */
  async #fetch(url, init) {
    let answer;
    try {
      answer = await fetch(url, { credentials: this.token ? "omit" : "same-origin", cache: "no-store", ...init });
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      throw new ApiProblem(0);
    }
    if (answer.status === 401) this.dispatchEvent(new Event("unauthorised"));
    if (!answer.ok) throw new ApiProblem(answer.status, isJson(answer) ? await answer.json().catch(() => ({})) : {});
    return answer;
  }
}

const isJson = (answer) => (answer.headers.get("Content-Type") ?? "").includes("json");

const shared = new Map();

/** One Api a base and token, so that elements of a page share the session. */
export function apiOf({ base = "", token = "" } = {}) {
  const key = JSON.stringify([base, token]);
  if (!shared.has(key)) shared.set(key, new Api({ base, token }));
  return shared.get(key);
}

/** The Api an element's `base` and `token` attributes name. */
export const apiFor = (element) => apiOf({ base: element.getAttribute("base") ?? "", token: element.getAttribute("token") ?? "" });

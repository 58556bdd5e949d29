// The address is the state of the page. Follows plain links without a load, keeps the place one had scrolled to, and
// tells `arrive` where one is. Never knows what is shown there.

const PATIENCE_MS = 30_000; // how long a list may take to grow back to the place one had scrolled to
const KEPT = 100;

let serial = 0;
const newKey = () => `${Date.now().toString(36)}.${(serial += 1)}`;

export class Router {
  #arrive;
  #places = new Map();
  #watch = null;

  /** `knows(pathname)` says which links are ours; `arrive({first, back})` is called after every change of the address. */
  constructor({ knows, arrive }) {
    this.knows = knows;
    this.#arrive = arrive;
  }

  start() {
    history.scrollRestoration = "manual";
    this.#stamp();
    addEventListener("popstate", () => this.#popped());
    addEventListener("scroll", () => this.#note(), { passive: true });
    // A reload starts with an empty memory, but keeps the entry's own state.
    addEventListener("pagehide", () => history.replaceState({ ...history.state, y: scrollY }, ""));
    document.addEventListener("click", (event) => this.#clicked(event));
    if (history.state.y) this.#places.set(history.state.key, history.state.y);
    this.#arrive({ first: true, back: true });
  }

  get query() {
    return new URLSearchParams(location.search);
  }

  /** Go to an address of ours, as a link does. */
  go(href, { replace = false } = {}) {
    const url = new URL(href, location.href);
    history[replace ? "replaceState" : "pushState"]({ key: newKey() }, "", url);
    this.#arrive({ first: false, back: false });
  }

  /** Change parts of the query; empty values leave it. Pushed, it is a step that Back undoes. Nobody is told. */
  set(changes, { push = false } = {}) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href === location.href) return;
    if (push) history.pushState({ key: newKey(), pushed: true }, "", url);
    else history.replaceState(history.state, "", url);
  }

  /** Leave what a pushed `set` entered: one step back, or, when one came here by its address, the changes as given. */
  undo(changes) {
    if (history.state?.pushed) history.back();
    else this.set(changes);
  }

  /** Scroll to where one was at this address, as soon as the page is long enough; the top where one never was. */
  settle({ back }) {
    this.#watch?.end();
    const wanted = back ? this.#places.get(history.state?.key) ?? 0 : 0;
    scrollTo(0, wanted);
    if (scrollY >= wanted - 1) return;
    const grown = new ResizeObserver(() => {
      scrollTo(0, wanted);
      if (scrollY >= wanted - 1) watch.end();
    });
    const stop = new AbortController();
    const watch = (this.#watch = { end: () => {
      grown.disconnect();
      stop.abort();
      clearTimeout(timer);
      this.#watch = null;
    } });
    const timer = setTimeout(watch.end, PATIENCE_MS);
    // A person who scrolls knows better.
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(kind, watch.end, { passive: true, signal: stop.signal });
    grown.observe(document.body);
  }

  #stamp() {
    if (!history.state?.key) history.replaceState({ ...history.state, key: newKey() }, "");
  }

  #note() {
    // While the page grows back, where it stands is not where one wants to be.
    if (this.#watch || !history.state?.key) return;
    this.#places.delete(history.state.key);
    this.#places.set(history.state.key, scrollY);
    if (this.#places.size > KEPT) this.#places.delete(this.#places.keys().next().value);
  }

  #popped() {
    this.#stamp(); // a link to a place within the page made an entry of its own
    this.#arrive({ first: false, back: true });
  }

  #clicked(event) {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || link.target || link.hasAttribute("download")) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !this.knows(url.pathname)) return;
    if (url.hash && url.pathname === location.pathname && url.search === location.search) return;
    event.preventDefault();
    this.go(url, { replace: url.href === location.href });
  }
}

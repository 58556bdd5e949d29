// Which rows of the review table are chosen: some of those that are shown, or everything that matches. Without DOM.

export class Selection {
  #chosen = new Set();
  #anchor = null;
  /** How many records matched when a person chose everything; null while single rows are chosen. */
  everything = null;

  get size() {
    return this.everything ?? this.#chosen.size;
  }

  has(id) {
    return this.everything !== null || this.#chosen.has(id);
  }

  get ids() {
    return [...this.#chosen];
  }

  /** Choose a row or not. With `range`, also every row between it and the one before; `shown` are all ids in order. */
  set(id, chosen, shown, { range = false } = {}) {
    this.#single(shown);
    const [a, b] = [shown.indexOf(range ? this.#anchor : id), shown.indexOf(id)];
    const ids = a < 0 || b < 0 ? [id] : shown.slice(Math.min(a, b), Math.max(a, b) + 1);
    for (const each of ids) this.#put(each, chosen);
    this.#anchor = id;
  }

  /** Choose all rows that are shown, or none. */
  setAll(shown, chosen) {
    this.clear();
    if (chosen) this.#chosen = new Set(shown);
  }

  chooseEverything(count) {
    this.everything = count;
  }

  clear() {
    this.everything = null;
    this.#chosen.clear();
    this.#anchor = null;
  }

  /** Rows that are gone are not chosen any more: nobody acts on what cannot be seen. */
  keep(shown) {
    const there = new Set(shown);
    this.#chosen = new Set(this.ids.filter((id) => there.has(id)));
  }

  // Who takes one out of everything has chosen the others that can be seen.
  #single(shown) {
    if (this.everything === null) return;
    this.everything = null;
    this.#chosen = new Set(shown);
  }

  #put(id, chosen) {
    if (chosen) this.#chosen.add(id);
    else this.#chosen.delete(id);
  }
}

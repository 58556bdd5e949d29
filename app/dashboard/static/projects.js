// Which project is looked at: the one in the address, else the one of this tab, else the one chosen last in this browser.

const KEY = "asbuilt.project";

export function recall() {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  } catch {
    return null; // storage can be forbidden
  }
}

/** Keep it for this tab; `chosen` by a person, also for the next one. */
export function remember(code, { chosen = false } = {}) {
  try {
    sessionStorage.setItem(KEY, code);
    if (chosen) localStorage.setItem(KEY, code);
  } catch {
    // The first project is shown next time.
  }
}

export const projectOf = (me, wanted) => me.projects.find((project) => project.code === wanted) ?? null;

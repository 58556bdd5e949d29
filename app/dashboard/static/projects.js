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

/** Stands for all projects, in the address and where the last choice is kept. */
export const ALL = "*";

/** One of the caller's projects by its code; for ALL a project without a code, which the API takes for every one. */
export function projectOf(me, wanted) {
  if (wanted === ALL && me.projects.length > 1) return { id: null, code: "", name: "All projects", role: "viewer" };
  return me.projects.find((project) => project.code === wanted) ?? null;
}

export const keyOf = (project) => project.code || ALL;

/** Those of the caller's projects whose operations are open to them. That is comfort: handlers decide. */
export const operated = (me) => me.projects.filter((project) => ["operator", "admin"].includes(project.role));

/** The caller's role by project. */
export const rolesOf = (me) => Object.fromEntries(me.projects.map((project) => [project.code, project.role]));

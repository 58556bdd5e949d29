// Light, dark, or what the system says: the viewer's choice, kept in this browser.

const THEMES = ["system", "light", "dark"];
const KEY = "asbuilt.theme";

export function currentTheme() {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.includes(stored) ? stored : "system";
  } catch {
    return "system"; // storage can be forbidden
  }
}

export function restoreTheme(theme = currentTheme()) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  return theme;
}

export function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length];
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it holds for this page only.
  }
  return restoreTheme(theme);
}

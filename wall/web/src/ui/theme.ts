// Dark, light, or as the system has it.

export type Theme = "system" | "dark" | "light";

const KEY = "posebus.theme";
const ORDER: readonly Theme[] = ["system", "dark", "light"];

export function currentTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "dark" || kept === "light" ? kept : "system";
  } catch {
    return "system";
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Takes the next theme, keeps it, and returns it. */
export function nextTheme(): Theme {
  const theme = ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length]!;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A private window may refuse it.
  }
  applyTheme(theme);
  return theme;
}

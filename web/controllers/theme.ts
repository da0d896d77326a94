/** Light or dark: the system's, until a person chooses. */
export type Theme = "system" | "light" | "dark";
const key = "touchstone.theme";

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(key);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function setTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(key);
  else localStorage.setItem(key, theme);
  applyTheme();
}

const dark = () => matchMedia("(prefers-color-scheme: dark)");
export const isDark = (): boolean => document.documentElement.dataset["theme"] === "dark";

export function applyTheme(): void {
  const theme = chosenTheme();
  const next = theme === "system" ? (dark().matches ? "dark" : "light") : theme;
  if (document.documentElement.dataset["theme"] === next) return;
  document.documentElement.dataset["theme"] = next;
  dispatchEvent(new Event("touch-theme"));
}

export function followSystem(): void {
  dark().addEventListener("change", applyTheme);
  applyTheme();
}

/** A token's value now, "#1f5fbf". */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--ts-${name}`).trim();

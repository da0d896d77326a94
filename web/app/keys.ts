/** Keys as words: "Mod+Shift+Enter", "d d". Pure but for reading the platform. */
export interface KeyLike {
  key: string;
  code?: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** The word of a key press. `Mod` is Ctrl, Cmd on a Mac. Letters are lower case; Shift is named for letters and named keys, not for signs. */
export function keyOf(event: KeyLike, mac = false): string | null {
  let key = event.key;
  if (["Control", "Shift", "Alt", "Meta", "Dead", "Process", "Unidentified", "AltGraph", "CapsLock"].includes(key)) return null;
  if (key === " ") key = "Space";
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  // with Alt or Mod the sign depends on the layout: take the physical key for letters
  if (event.altKey && event.code !== undefined && /^Key[A-Z]$/.test(event.code)) key = event.code.slice(3);
  if (event.altKey && event.code === "Period") key = ".";
  const letter = /^\p{L}$/u.test(key);
  if (letter) key = key.toLowerCase();
  const shift = event.shiftKey && (letter || key.length > 1 || mod);
  return [mod ? "Mod" : "", other ? "Meta" : "", event.altKey ? "Alt" : "", shift ? "Shift" : "", key].filter(Boolean).join("+");
}

/** Reads keys one by one, with sequences such as "d d" (1 s between). */
export function sequencer(now: () => number): (key: string, known: ReadonlySet<string>) => string | null {
  let before = "";
  let at = 0;
  return (key, known) => {
    const joined = before !== "" && now() - at < 1000 ? `${before} ${key}` : key;
    at = now();
    if (known.has(joined)) {
      before = "";
      return joined;
    }
    before = key;
    return known.has(key) ? key : null;
  };
}

/** For people: "Ctrl+Enter", "⌘ Enter". */
export function keyText(keys: string, mac = false): string {
  return keys
    .split(" ")
    .map((key) =>
      key
        .split("+")
        .map((part) =>
          part === "Mod"
            ? mac
              ? "⌘"
              : "Ctrl"
            : part === "Alt" && mac
              ? "⌥"
              : part === "ArrowUp"
                ? "↑"
                : part === "ArrowDown"
                  ? "↓"
                  : part.length === 1
                    ? part.toUpperCase()
                    : part,
        )
        .join("+"),
    )
    .join(" ");
}

export const isMac = (): boolean => typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** Browsers keep or want these: an action must not take them (ui 5). */
export const reserved = new Set([
  ..."ntw".split("").flatMap((key) => [`Mod+${key}`, `Mod+Shift+${key}`]),
  "Mod+Tab",
  "Mod+PageUp",
  "Mod+PageDown",
  ..."123456789".split("").flatMap((key) => [`Mod+${key}`, `Alt+${key}`]),
  "Mod+l",
  "Mod+r",
  "F5",
  "Mod+Shift+p",
  ..."cijkmb".split("").map((key) => `Mod+Shift+${key}`),
  "Mod+Alt+b",
  "Mod+Alt+i",
  "Alt+ArrowLeft",
  "Alt+ArrowRight",
  "Alt+d",
  "F6",
  "Mod+h",
  "Mod+m",
  "Mod+q",
]);

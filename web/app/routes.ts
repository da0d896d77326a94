/** Addresses of the page. Pure: the server answers the shell for each of them. */
export type Route =
  | { page: "home" }
  | { page: "notebook"; workspace: string; path: string; cell: string | null }
  | { page: "models" }
  | { page: "model"; name: string }
  | { page: "version"; name: string; version: number }
  | { page: "live"; name: string }
  | { page: "review" }
  | { page: "queue"; workspace: string; queue: string }
  | { page: "settings" }
  | { page: "missing"; path: string };

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** A workspace's word in an address: "." is the folder that the server was started in, and a browser would drop it. */
const wordOf = (workspace: string): string => (workspace === "." ? "~" : workspace === "~" ? "./~" : workspace);
const placeOf = (word: string): string => (word === "~" ? "." : word === "./~" ? "~" : word);

/** Reads a location; an address that names no page is `missing`. */
export function parseRoute(pathname: string, hash = ""): Route {
  const parts = pathname.split("/").filter(Boolean).map(decode);
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { page: "home" };
  if (first === "w" && second !== undefined && third === "n" && parts.length > 3) {
    const cell = /^#cell=(.+)$/.exec(hash)?.[1];
    return { page: "notebook", workspace: placeOf(second), path: parts.slice(3).join("/"), cell: cell === undefined ? null : decode(cell) };
  }
  if (first === "models" && parts.length === 1) return { page: "models" };
  if (first === "models" && second !== undefined) {
    if (parts.length === 2) return { page: "model", name: second };
    if (parts.length === 3 && third === "live") return { page: "live", name: second };
    if (parts.length === 4 && third === "v" && /^[1-9]\d*$/.test(fourth!)) return { page: "version", name: second, version: Number(fourth) };
  }
  if (first === "review" && parts.length === 1) return { page: "review" };
  if (first === "review" && parts.length === 3) return { page: "queue", workspace: placeOf(second!), queue: third! };
  if (first === "settings" && (parts.length === 1 || (parts.length === 2 && (second === "keys" || second === "doctor")))) return { page: "settings" };
  return { page: "missing", path: pathname };
}

/** The address of a route, ready for an href. */
export function hrefOf(route: Route): string {
  const word = encodeURIComponent;
  switch (route.page) {
    case "home":
      return "/";
    case "notebook":
      return `/w/${word(wordOf(route.workspace))}/n/${route.path.split("/").map(word).join("/")}${route.cell === null ? "" : `#cell=${word(route.cell)}`}`;
    case "models":
      return "/models";
    case "model":
      return `/models/${word(route.name)}`;
    case "version":
      return `/models/${word(route.name)}/v/${route.version}`;
    case "live":
      return `/models/${word(route.name)}/live`;
    case "review":
      return "/review";
    case "queue":
      return `/review/${word(wordOf(route.workspace))}/${word(route.queue)}`;
    case "settings":
      return "/settings";
    case "missing":
      return route.path;
  }
}

/** Address of a notebook named as the server names it: "flights/late.nb.ts" (with or without "workspaces/"). */
export function notebookHref(path: string, cell: string | null = null): string {
  const parts = path.replace(/^workspaces\//, "").split("/");
  if (parts.length === 1) parts.unshift(".");
  return hrefOf({ page: "notebook", workspace: parts[0] ?? "", path: parts.slice(1).join("/"), cell });
}

/** Who this tab is: kept over a reload, new in a duplicated tab. */
export function clientId(): string {
  let id = sessionStorage.getItem("touchstone.client");
  // a duplicated tab copies the storage: it must not be taken for the first one
  const entry = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
  if (id === null || (entry?.type === "navigate" && document.referrer === "" && sessionStorage.getItem("touchstone.live") === "1")) {
    id = crypto.randomUUID();
    sessionStorage.setItem("touchstone.client", id);
  }
  sessionStorage.setItem("touchstone.live", "1");
  return id;
}
addEventListener("pagehide", () => sessionStorage.removeItem("touchstone.live"));

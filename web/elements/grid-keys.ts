/** What the keys do in a grid (ui 5): one entry a key, so that the list can be read and tested. */
export interface GridMoves {
  row: number;
  column: number;
  /** rows that a page key goes */
  page: number;
  lastColumn: number;
  /** `extend`: the cells on the way are selected */
  move(row: number, column: number, extend: boolean): void;
  end(column: number, extend: boolean): void;
  /** all cells, a whole row or a whole column */
  select(what: "all" | "row" | "column"): void;
  menu(column: number): void;
  open(row: number, column: number): void;
  sort(column: number, add: boolean): void;
  copy(row: number, column: number): void;
  focus(field: "row" | "column" | "search"): void;
  leave(): void;
}

/** True when the key was one of the grid's. */
export function gridKey(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">, grid: GridMoves): boolean {
  const { row, column } = grid;
  const mod = event.ctrlKey || event.metaKey;
  const plain = !mod && !event.altKey;
  const extend = event.shiftKey;
  switch (event.key) {
    case "ArrowDown":
      if (event.altKey) grid.menu(column);
      else grid.move(row + 1, column, extend);
      return true;
    case "ArrowUp":
      grid.move(row - 1, column, extend);
      return true;
    case "ArrowRight":
      grid.move(row, column + 1, extend);
      return true;
    case "ArrowLeft":
      grid.move(row, column - 1, extend);
      return true;
    case "PageDown":
      grid.move(row + grid.page, column, extend);
      return true;
    case "PageUp":
      grid.move(row - grid.page, column, extend);
      return true;
    case "Home":
      if (mod) grid.move(0, column, extend);
      else grid.move(row, 0, extend);
      return true;
    case "End":
      if (mod) grid.end(column, extend);
      else grid.move(row, grid.lastColumn, extend);
      return true;
    case "Enter":
      if (!plain || event.shiftKey) return false;
      grid.open(row, column);
      return true;
    case "s":
    case "S":
      if (!plain) return false;
      grid.sort(column, event.shiftKey);
      return true;
    case "a":
      if (!mod) return false;
      grid.select("all");
      return true;
    case " ":
      // as spreadsheets have it
      if (mod === event.shiftKey) return false;
      grid.select(mod ? "column" : "row");
      return true;
    case "c":
      if (!mod) return false;
      grid.copy(row, column);
      return true;
    case "g":
      if (!mod) return false;
      grid.focus("row");
      return true;
    case "j":
      if (!plain) return false;
      grid.focus("column");
      return true;
    case "/":
      if (!plain) return false;
      grid.focus("search");
      return true;
    case "Escape":
      grid.leave();
      return true;
    default:
      return false;
  }
}

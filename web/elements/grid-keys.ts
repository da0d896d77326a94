/** What the keys do in a grid (ui 5): one entry a key, so that the list can be read and tested. */
export interface GridMoves {
  row: number;
  column: number;
  /** rows that a page key goes */
  page: number;
  lastColumn: number;
  move(row: number, column: number): void;
  end(column: number): void;
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
  switch (event.key) {
    case "ArrowDown":
      if (event.altKey) grid.menu(column);
      else grid.move(row + 1, column);
      return true;
    case "ArrowUp":
      grid.move(row - 1, column);
      return true;
    case "ArrowRight":
      grid.move(row, column + 1);
      return true;
    case "ArrowLeft":
      grid.move(row, column - 1);
      return true;
    case "PageDown":
      grid.move(row + grid.page, column);
      return true;
    case "PageUp":
      grid.move(row - grid.page, column);
      return true;
    case "Home":
      if (mod) grid.move(0, column);
      else grid.move(row, 0);
      return true;
    case "End":
      if (mod) grid.end(column);
      else grid.move(row, grid.lastColumn);
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

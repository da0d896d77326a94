/** How a grid is scrolled: three rows a notch of the wheel, whatever its length, and a bar beside it for coarse jumps. */
const rowHeight = 26;

export interface Scrolled {
  readonly top: number;
  /** the last row that the window may begin with; 0: all rows are in it */
  readonly lastTop: number;
  showRow(row: number): void;
  readonly updateComplete: Promise<unknown>;
}

/** Height of what the bar scrolls over. */
export const barHeight = (rows: number): number => Math.min(200_000, rows * rowHeight);

export class GridScroll {
  readonly #grid: Scrolled;
  #rest = 0;
  #setting = false;
  #dragging = false;

  constructor(grid: Scrolled) {
    this.#grid = grid;
  }

  wheel = (event: WheelEvent): void => {
    const { top, lastTop } = this.#grid;
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    if (lastTop <= 0 || (event.target as Element).closest(".grid-body") === null) return;
    const rows = event.deltaMode === 1 ? event.deltaY : event.deltaY / (rowHeight * 1.3);
    this.#rest += rows;
    const whole = Math.trunc(this.#rest);
    if (whole === 0) {
      if ((rows < 0 && top > 0) || (rows > 0 && top < lastTop)) event.preventDefault();
      return;
    }
    this.#rest -= whole;
    this.#grid.showRow(top + whole);
    // at either end the page scrolls on
    if (this.#grid.top !== top) event.preventDefault();
  };

  bar = (event: Event): void => {
    if (this.#setting) {
      this.#setting = false;
      return;
    }
    const bar = event.target as HTMLElement;
    const most = bar.scrollHeight - bar.clientHeight;
    this.#dragging = true;
    this.#grid.showRow((bar.scrollTop / Math.max(1, most)) * this.#grid.lastTop);
    void this.#grid.updateComplete.then(() => (this.#dragging = false));
  };

  /** Puts the bar where the rows are. */
  place(bar: HTMLElement | null): void {
    if (bar === null || this.#dragging) return;
    const most = bar.scrollHeight - bar.clientHeight;
    const at = Math.round((this.#grid.top / Math.max(1, this.#grid.lastTop)) * most);
    if (Math.abs(bar.scrollTop - at) <= 1) return;
    this.#setting = true;
    bar.scrollTop = at;
  }
}

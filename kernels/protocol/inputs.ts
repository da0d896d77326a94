/** The inputs that `view` shows (design 4), as authors write them. */

/** What `input.range({...})` makes: `view` shows it and gives its value. */
export interface Input<out T> {
  /** "range", "select" ... */
  readonly type: string;
  readonly label: string;
  /** the default: what a clean run, a report and a script use */
  readonly initial: T;
}

export interface InputOptions {
  /** default: the name that the value is given to */
  label?: string;
}
export interface DebounceOptions {
  /** when a change counts: `false` at once, `true` when the control is released, left or Enter is pressed, a number after so many ms of rest */
  debounce?: boolean | number;
}

export interface RangeOptions extends InputOptions, DebounceOptions {
  min: number;
  max: number;
  /** default: 1 between whole numbers, else a hundredth of the way */
  step?: number;
  /** default: the middle */
  value?: number;
}
export interface NumberOptions extends InputOptions, DebounceOptions {
  min?: number;
  max?: number;
  /** default: any number */
  step?: number;
  /** default: 0, or the nearest that is allowed */
  value?: number;
}
export interface TextOptions extends InputOptions, DebounceOptions {
  /** default: empty */
  value?: string;
  placeholder?: string;
}
export interface TextareaOptions extends TextOptions {
  /** lines shown; default 4 */
  rows?: number;
}
export interface CheckOptions extends InputOptions {
  /** default: false */
  value?: boolean;
}
export interface ChoiceOptions<T> extends InputOptions {
  /** values, values by their label, or a Map of label to value */
  options: readonly T[] | { readonly [label: string]: T } | ReadonlyMap<string, T>;
  /** the label of a value; default: its text */
  format?: (value: NoInfer<T>) => string;
}
export interface DateOptions extends InputOptions {
  /** a day, "2026-01-31" */
  min?: string | Date;
  max?: string | Date;
}

export interface Inputs {
  /** a slider */
  range(options: RangeOptions): Input<number>;
  /** a field for a number */
  number(options?: NumberOptions): Input<number>;
  /** a line of text */
  text(options?: TextOptions): Input<string>;
  /** several lines of text */
  textarea(options?: TextareaOptions): Input<string>;
  checkbox(options?: CheckOptions): Input<boolean>;
  /** a switch */
  toggle(options?: CheckOptions): Input<boolean>;
  /** some of a list */
  select<const T>(options: ChoiceOptions<T> & { multiple: true; /** default: none */ value?: readonly NoInfer<T>[] }): Input<T[]>;
  /** one of a list */
  select<const T>(options: ChoiceOptions<T> & { multiple?: false; /** default: the first */ value?: NoInfer<T> }): Input<T>;
  /** one of a few, all in sight */
  radio<const T>(options: ChoiceOptions<T> & { value: NoInfer<T> }): Input<T>;
  /** one of a few; null until one is chosen */
  radio<const T>(options: ChoiceOptions<T>): Input<T | null>;
  /** a day, at midnight UTC */
  date(options: DateOptions & { value: string | Date }): Input<Date>;
  /** a day, at midnight UTC; null until one is given */
  date(options?: DateOptions): Input<Date | null>;
  /** how often it was pressed */
  button(options?: InputOptions): Input<number>;
}

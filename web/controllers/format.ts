/** Numbers, sizes and times in words. Pure. */
export const integer = (value: number): string => Math.round(value).toLocaleString("en-US");

/** 412 MB, 1.8 GB */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let n = value;
  let unit = -1;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

/** Memory of a process and its limits, in powers of 2, as limits are given: 412 MB, 1.8 GB. */
export function memory(value: number): string {
  const megabytes = value / 2 ** 20;
  return megabytes < 1000 ? `${Math.round(megabytes)} MB` : `${(megabytes / 1024).toFixed(1)} GB`;
}

/** 4 ms, 0.21 s below a minute, 1:12 above, 2:03:04 above an hour. */
export function duration(ms: number): string {
  if (ms < 10) return ms < 1 ? "<1 ms" : `${Math.floor(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** Clock of a running cell: always m:ss. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A metric as people read it: 3 or 4 significant digits, no exponent in the common range. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 10_000) return integer(value);
  if (size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? 5 : 4)));
}

/** +25 % or -3.1 % of `from`. */
export function percent(value: number, from: number): string {
  const share = (100 * (value - from)) / Math.abs(from);
  if (!Number.isFinite(share)) return "";
  return `${share > 0 ? "+" : share < 0 ? "−" : ""}${Math.abs(share) < 10 ? Math.abs(share).toFixed(1) : Math.round(Math.abs(share))} %`;
}

/** "2 h ago" */
export function ago(then: number, now: number): string {
  const s = Math.max(0, (now - then) / 1000);
  if (s < 45) return "just now";
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min ago`;
  if (s < 86_400) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86_400)} d ago`;
}

export const time = (at: number): string => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export const plural = (n: number, one: string, many = `${one}s`): string => `${integer(n)} ${n === 1 ? one : many}`;

/** 1st 2nd 3rd */
export const ordinal = (n: number): string => `${n}${n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;

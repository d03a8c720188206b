// Times and figures as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const SHORT_CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function clock(at: number): string {
  return Number.isFinite(at) ? CLOCK.format(at) : "–";
}

export function day(at: number): string {
  return Number.isFinite(at) ? DAY.format(at) : "at an unknown time";
}

/** Returns "14:02" for a time of today, else with the day before it. */
export function since(at: number, now: number): string {
  if (!Number.isFinite(at)) return "–";
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return today ? SHORT_CLOCK.format(at) : `${DAY.format(at)}, ${SHORT_CLOCK.format(at)}`;
}

/** Returns a number with one digit after the point if it is small; a dash for null. */
export function figure(value: number | null): string {
  if (value === null) return "–";
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}

export function milliseconds(value: number | null): string {
  if (value === null) return "–";
  return value < 995 ? `${Math.round(value)} ms` : `${figure(value / 1000)} s`;
}

export function bytes(value: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${step === 0 ? value : figure(value)} ${units[step]}`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Returns "1 person" or "3 people". */
export function peopleText(count: number): string {
  return counted(count, "person", "people");
}

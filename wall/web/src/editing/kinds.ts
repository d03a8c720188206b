// The kinds of rules and their main settings; the other side is posebus/config/rules/kinds.py, which a test compares.

export interface Setting {
  name: string;
  label: string;
  unit: string;
  /** whole numbers, numbers, texts, or texts separated by commas */
  type: "whole" | "number" | "text" | "list";
  /** What it is without a value, in words. */
  without: string;
}

export interface Kind {
  name: string;
  title: string;
  says: string;
  /** Whether it may hold in the whole picture. */
  anywhere: boolean;
  settings: Setting[];
}

const number = (name: string, label: string, unit: string, without: string): Setting => ({
  name,
  label,
  unit,
  type: "number",
  without,
});
const whole = (name: string, label: string, unit: string, without: string): Setting => ({
  name,
  label,
  unit,
  type: "whole",
  without,
});

const COMMON: Setting[] = [
  number("cooldown_s", "Pause after an event", "s", "0"),
  { name: "schedule", label: "When", unit: "", type: "text", without: "always" },
];

function kind(name: string, title: string, says: string, settings: Setting[], anywhere = true): Kind {
  return { name, title, says, anywhere, settings: [...settings, ...COMMON] };
}

export const KINDS: readonly Kind[] = [
  kind(
    "zone",
    "Zone",
    "People enter, stay and leave.",
    [
      number("dwell_s", "Dwells after", "s", "never"),
      whole("max_people", "Occupied above", "people", "never"),
      whole("min_people", "Too few below", "people", "never"),
    ],
    false,
  ),
  kind("line", "Line", "People cross it, in a direction.", [number("settle_s", "Settles after", "s", "0.3")], false),
  kind("loiter", "Loitering", "A person stays about the same place.", [
    number("after_s", "After", "s", "60"),
    number("radius", "Within", "body heights", "1.5"),
  ]),
  kind("crowd", "Crowd", "Many people are present.", [
    whole("people", "From", "people", "required"),
    number("for_s", "For", "s", "2"),
  ]),
  kind("proximity", "Close together", "Two people are close to each other.", [
    number("body_heights", "Closer than", "body heights", "0.5"),
    number("distance_m", "Or closer than", "m", "as by body heights"),
    number("for_s", "For", "s", "2"),
  ]),
  kind("absence", "Absence", "Too few people are where some have to be.", [
    whole("people", "Fewer than", "people", "1"),
    number("for_s", "For", "s", "30"),
  ]),
  kind("fall", "Fall", "A person falls, and stays on the ground.", [number("fallen_s", "Reported after", "s", "10")]),
  kind("hands_up", "Hands up", "A person holds both hands above the head.", [number("for_s", "For", "s", "1")]),
  kind("running", "Running", "A person runs.", [
    number("speed", "Faster than", "body heights/s", "faster than people walk"),
    number("speed_m_s", "Or faster than", "m/s", "as by body heights"),
  ]),
  kind("crouch", "Crouching", "A person crouches.", [number("for_s", "For", "s", "2")]),
  kind("action", "Action", "A person does something that the classifier has a name for.", [
    { name: "labels", label: "Actions", unit: "", type: "list", without: "required" },
    number("for_s", "For", "s", "1"),
  ]),
];

export function kindOf(name: string): Kind | undefined {
  return KINDS.find((one) => one.name === name);
}

/** Kinds that a shape can become: a line stays a line, since all others are areas. */
export function kindsFor(shape: "polygon" | "line" | null, current: string): Kind[] {
  if (shape === "line") return KINDS.filter((one) => one.name === "line");
  const known = KINDS.filter((one) => one.name !== "line");
  return known.some((one) => one.name === current)
    ? known
    : [{ name: current, title: current, says: "A rule of another package.", anywhere: true, settings: COMMON }];
}

/** The value of a setting from what was typed: undefined for nothing, the text itself where it is no number. */
export function parsed(setting: Setting, typed: string): unknown {
  const text = typed.trim();
  if (text === "") return undefined;
  if (setting.type === "text") return text;
  if (setting.type === "list") {
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }
  const value = Number(text.replace(",", "."));
  return Number.isFinite(value) ? value : text;
}

export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

// The fields of the camera page: what the person chooses, kept for the next visit.

import { el } from "../ui/dom.ts";
import type { Turn } from "./capture.ts";
import type { Mode } from "./messages.ts";
import type { Facing } from "./permission.ts";

export interface Choice {
  mode: Mode;
  deviceId: string | null;
  facing: Facing;
  side: number | null;
  fps: number;
  turn: Turn;
  mirror: boolean;
  name: string;
}

const KEY = "posebus.camera.choice";
const FIRST: Choice = {
  mode: "pictures",
  deviceId: null,
  facing: "user",
  side: null,
  fps: 15,
  turn: 0,
  mirror: true,
  name: "",
};
export const MODES: Record<Mode, { title: string; words: string }> = {
  pictures: {
    title: "Pictures",
    words: "Pictures leave this device: they go to the wall as JPEG, and its workers find the people in them.",
  },
  poses: {
    title: "Poses only",
    words: "No picture leaves this device: the network runs in this browser, and only the positions of joints go to the wall.",
  },
};

/** What was chosen last time, field by field, so that an old or broken entry harms nothing. */
export function keptChoice(storage: Storage | null): Choice {
  try {
    const kept = JSON.parse(storage?.getItem(KEY) ?? "{}") as Partial<Record<keyof Choice, unknown>>;
    const choice: Choice = { ...FIRST };
    for (const field of Object.keys(FIRST) as (keyof Choice)[]) {
      const value = kept[field];
      const fits = typeof value === typeof FIRST[field] || (FIRST[field] === null && value !== undefined);
      if (fits && value !== null) Object.assign(choice, { [field]: value });
    }
    return choice.mode in MODES ? choice : { ...choice, mode: "pictures" };
  } catch {
    return { ...FIRST };
  }
}

export function keepChoice(storage: Storage | null, choice: Choice): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choice));
  } catch {
    // A private window may refuse it.
  }
}

export interface Controls {
  root: HTMLElement;
  /** Fields that cannot change while the camera runs. */
  lock: (locked: boolean) => void;
  /** Lists the cameras; their names are known once the person has allowed one. */
  devices: (found: readonly MediaDeviceInfo[]) => void;
}

/** Builds the fields. `changed` is called with the name of the field after `choice` has its new value. */
export function buildControls(choice: Choice, changed: (field: keyof Choice) => void): Controls {
  const set = <Field extends keyof Choice>(field: Field, value: Choice[Field]): void => {
    choice[field] = value;
    changed(field);
  };
  const modes = (Object.keys(MODES) as Mode[]).map((mode) =>
    el(
      "label",
      { class: "camera-mode" },
      el("input", {
        type: "radio",
        name: "mode",
        value: mode,
        checked: mode === choice.mode,
        onchange: () => set("mode", mode),
      }),
      el("span", null, el("strong", null, MODES[mode].title), el("span", { class: "soft" }, MODES[mode].words)),
    ),
  );
  const camera = el("select", {
    onchange: (event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      choice.deviceId = value.startsWith("side:") ? null : value;
      if (value.startsWith("side:")) choice.facing = value.slice(5) as Facing;
      choice.mirror = choice.facing === "user";
      mirror.checked = choice.mirror;
      changed("deviceId");
    },
  }) as HTMLSelectElement;
  const mirror = el("input", {
    type: "checkbox",
    checked: choice.mirror,
    onchange: () => set("mirror", mirror.checked),
  }) as HTMLInputElement;
  const size = selection(
    [
      ["Automatic", null],
      ["320 pixels", 320],
      ["480 pixels", 480],
      ["640 pixels", 640],
      ["960 pixels", 960],
      ["1280 pixels", 1280],
    ],
    choice.side,
    (value) => set("side", value),
  );
  const rate = selection(
    [5, 10, 15, 30].map((fps) => [`${fps} a second`, fps]),
    choice.fps,
    (value) => set("fps", value ?? 15),
  );
  const turn = selection(
    ([0, 90, 180, 270] as const).map((degrees) => [degrees === 0 ? "Not turned" : `${degrees}° clockwise`, degrees]),
    choice.turn,
    (value) => set("turn", (value ?? 0) as Turn),
  );
  const name = el("input", {
    type: "text",
    value: choice.name,
    maxlength: 55,
    placeholder: "browser-1",
    autocomplete: "off",
    oninput: () => set("name", name.value),
  }) as HTMLInputElement;
  const devices = (found: readonly MediaDeviceInfo[]): void => {
    const known = found.filter((one) => one.kind === "videoinput" && one.label !== "");
    const entries: [string, string][] = [
      ["Front camera", "side:user"],
      ["Rear camera", "side:environment"],
      ...known.map((one): [string, string] => [one.label, one.deviceId]),
    ];
    const present = choice.deviceId !== null && known.some((one) => one.deviceId === choice.deviceId);
    const chosen = present ? choice.deviceId : `side:${choice.facing}`;
    camera.replaceChildren(
      ...entries.map(([label, value]) => el("option", { value, selected: value === chosen }, label)),
    );
  };
  devices([]);
  const root = el(
    "div",
    { class: "stack" },
    el("fieldset", { class: "camera-modes" }, el("legend", null, "What leaves this device"), ...modes),
    el(
      "div",
      { class: "camera-fields" },
      field("Camera", camera),
      field("Name", name),
      field("Longest side", size),
      field("Frames, at most", rate),
      field("Turn", turn),
      el("label", { class: "row" }, mirror, "Show it as a mirror"),
    ),
  );
  const fixed = [...root.querySelectorAll<HTMLInputElement>("input[name=mode]"), name, size, rate, camera];
  return { root, devices, lock: (locked) => fixed.forEach((one) => (one.disabled = locked)) };
}

function field(title: string, input: HTMLElement): HTMLElement {
  return el("label", { class: "field" }, title, input);
}

function selection<Value extends number | null>(
  entries: readonly (readonly [string, Value])[],
  chosen: Value,
  change: (value: Value) => void,
): HTMLSelectElement {
  const select = el("select", { onchange: () => change(entries[select.selectedIndex]![1]) }) as HTMLSelectElement;
  select.append(...entries.map(([title, value]) => el("option", { selected: value === chosen }, title)));
  return select;
}

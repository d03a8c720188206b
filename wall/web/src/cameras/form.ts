// The form of one camera: a new one, or one that is changed; with a test picture before it is saved.

import { HttpProblem, sendJson } from "../http.ts";
import { takePicture } from "../editing/picture.ts";
import { el, replace } from "../ui/dom.ts";
import { SOURCE_KINDS, kindOfSource } from "./kinds.ts";

export type Fields = Record<string, unknown>;

interface FieldSpec {
  name: string;
  label: string;
  note: string;
  choices?: [string, string][];
}

const FIELDS: FieldSpec[] = [
  { name: "max_fps", label: "Frames a second, at most", note: "Empty: as many as the camera sends." },
  {
    name: "rotate",
    label: "Turn the picture",
    note: "So that people stand upright in it.",
    choices: [
      ["0", "not at all"],
      ["90", "by 90° clockwise"],
      ["180", "upside down"],
      ["270", "by 90° counter-clockwise"],
    ],
  },
  { name: "schedule", label: "When it is read", note: "For example Mon-Fri 07:00-19:00 Europe/Berlin. Empty: always." },
  {
    name: "loop",
    label: "A file is played",
    note: "In a loop it is like a camera that never ends.",
    choices: [
      ["false", "once"],
      ["true", "in a loop"],
    ],
  },
  {
    name: "realtime",
    label: "Pace of a file",
    note: "",
    choices: [
      ["false", "as fast as possible"],
      ["true", "as it was recorded"],
    ],
  },
];

export interface FormOptions {
  /** Null for a new camera. */
  name: string | null;
  suggestedName: string;
  fields: Fields;
  done: (sentence: string) => void;
  cancel: () => void;
}

export class CameraForm {
  readonly node: HTMLElement;
  private readonly inputs = new Map<string, HTMLInputElement | HTMLSelectElement>();
  private readonly complaints = new Map<string, HTMLElement>();
  private readonly explained = el("p", { class: "soft", id: "camera-explained" });
  private readonly status = el("p", { role: "status" });
  private readonly shown = el("div");
  private readonly test = el("button", { type: "button", onclick: () => void this.testNow() }, "Test picture");
  private readonly save = el("button", { type: "submit", class: "primary" });
  private asking: AbortController | null = null;
  private pictureUrl: string | null = null;
  private readonly options: FormOptions;

  constructor(options: FormOptions) {
    this.options = options;
    this.save.textContent = options.name === null ? "Add the camera" : "Save";
    const kinds = SOURCE_KINDS.map((kind) =>
      el("button", { type: "button", onclick: () => this.fillIn(kind.example) }, kind.title),
    );
    this.node = el(
      "form",
      { class: "cameras-form panel", novalidate: true, "aria-labelledby": "camera-form-title", onsubmit: (event) => this.submitted(event) },
      el("h2", { id: "camera-form-title" }, options.name === null ? "Add a camera" : `Change ${options.name}`),
      options.name === null && this.field("name", "Name", el("input", { type: "text", value: options.suggestedName, autocomplete: "off", spellcheck: "false" }), "Letters, digits, '.', '_' and '-'."),
      options.name === null && el("div", { class: "cameras-kinds", role: "group", "aria-label": "Kind of camera" }, ...kinds),
      this.field("source", "Address, file or device", el("input", { type: "text", value: text(options.fields["source"]), autocomplete: "off", spellcheck: "false", oninput: () => this.explain(), placeholder: SOURCE_KINDS[0]!.example }), options.name === null ? "" : "*** hides what the page may not know; an address that is left as it is keeps it."),
      this.explained,
      el("details", null, el("summary", null, "More settings"), el("div", { class: "stack" }, ...FIELDS.map((spec) => this.specified(spec)))),
      this.shown,
      this.status,
      el("div", { class: "row" }, this.save, this.test, el("button", { type: "button", onclick: () => this.leave() }, "Cancel")),
    );
    this.explain();
  }

  end(): void {
    this.asking?.abort();
    if (this.pictureUrl !== null) URL.revokeObjectURL(this.pictureUrl);
    this.pictureUrl = null;
  }

  focus(): void {
    this.inputs.get(this.options.name === null ? "name" : "source")?.focus();
  }

  private leave(): void {
    this.end();
    this.options.cancel();
  }

  private fillIn(example: string): void {
    const input = this.inputs.get("source")!;
    input.value = example;
    input.focus();
    if (input instanceof HTMLInputElement) input.select();
    this.explain();
  }

  private explain(): void {
    const kind = kindOfSource(this.inputs.get("source")?.value ?? "");
    this.explained.textContent = kind === null ? "Choose a kind, or write an address." : `${kind.title}: ${kind.says}`;
  }

  private specified(spec: FieldSpec): HTMLElement {
    const value = this.options.fields[spec.name];
    if (spec.choices === undefined) {
      return this.field(spec.name, spec.label, el("input", { type: "text", value: text(value), autocomplete: "off" }), spec.note);
    }
    const chosen = text(value) || spec.choices[0]![0];
    const options = spec.choices.map(([key, words]) => el("option", { value: key, selected: key === chosen }, words));
    return this.field(spec.name, spec.label, el("select", null, ...options), spec.note);
  }

  private field(name: string, label: string, input: HTMLInputElement | HTMLSelectElement, note: string): HTMLElement {
    const complaint = el("small", { class: "bad", id: `camera-${name}-wrong` });
    input.setAttribute("name", name);
    this.inputs.set(name, input);
    this.complaints.set(name, complaint);
    return el("label", { class: "field" }, label, input, note !== "" && el("small", { class: "soft" }, note), complaint);
  }

  /** What is different from what the camera has; null goes back to the default. */
  private changed(): Fields {
    const fields: Fields = {};
    for (const [name, input] of this.inputs) {
      if (name === "name") continue;
      const value = valueOf(name, input.value);
      if (text(value) !== text(this.options.fields[name] ?? defaultOf(name))) fields[name] = value;
    }
    return fields;
  }

  private submitted(event: Event): void {
    event.preventDefault();
    void this.saveNow();
  }

  private async saveNow(): Promise<void> {
    this.complain(null);
    this.save.disabled = true;
    this.say("Saving; the answer comes when the camera is read …");
    const { name } = this.options;
    try {
      const fields = this.changed();
      const answer =
        name === null
          ? await sendJson<{ saved: string }>("POST", "/api/cameras", { name: this.inputs.get("name")!.value.trim(), fields })
          : await sendJson<{ saved: string }>("PATCH", `/api/cameras/${encodeURIComponent(name)}`, { fields });
      this.end();
      this.options.done(answer.saved);
    } catch (problem) {
      this.complain(problem);
    }
    this.save.disabled = false;
  }

  private async testNow(): Promise<void> {
    if (this.asking !== null) {
      this.asking.abort();
      return;
    }
    this.complain(null);
    const asking = new AbortController();
    this.asking = asking;
    this.test.textContent = "Cancel the test";
    this.say("Taking a picture; heads are hidden in it, so it takes some seconds …");
    try {
      const { name } = this.options;
      const { source, ...fields } = { source: this.inputs.get("source")!.value.trim(), ...this.changed() };
      const picture = await takePicture({ source, fields, ...(name === null ? {} : { camera: name }) }, asking.signal);
      if (this.pictureUrl !== null) URL.revokeObjectURL(this.pictureUrl);
      this.pictureUrl = URL.createObjectURL(picture);
      replace(this.shown, el("img", { class: "cameras-picture", src: this.pictureUrl, alt: "The test picture, with the people that were found" }));
      this.say("This is what the camera shows. It is not saved yet.");
    } catch (problem) {
      if (asking.signal.aborted) this.say("The test was cancelled.");
      else this.complain(problem);
    }
    this.asking = null;
    this.test.textContent = "Test picture";
  }

  /** Says what is wrong at the field that it is about. */
  private complain(problem: unknown): void {
    for (const [name, complaint] of this.complaints) {
      complaint.textContent = "";
      this.inputs.get(name)!.removeAttribute("aria-invalid");
      this.inputs.get(name)!.removeAttribute("aria-describedby");
    }
    if (problem === null) {
      this.say("");
      return;
    }
    const sentence = problem instanceof Error ? problem.message : String(problem);
    const path = problem instanceof HttpProblem ? problem.path : null;
    const complaint = path === null ? undefined : this.complaints.get(path);
    if (complaint === undefined) {
      this.say(sentence, "bad");
      return;
    }
    const input = this.inputs.get(path!)!;
    complaint.textContent = sentence;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", complaint.id);
    input.closest("details")?.setAttribute("open", "");
    input.focus();
    this.say("");
  }

  private say(sentence: string, kind = ""): void {
    this.status.textContent = sentence;
    this.status.className = kind === "" ? "soft" : `note ${kind}`;
  }
}

export function valueOf(name: string, typed: string): unknown {
  const value = typed.trim();
  if (name === "loop" || name === "realtime") return value === "true";
  if (name === "source") return value;
  if (value === "") return null;
  if (name === "max_fps" || name === "rotate") {
    const number = Number(value.replace(",", "."));
    return Number.isFinite(number) ? number : value;
  }
  return value;
}

function defaultOf(name: string): unknown {
  if (name === "rotate") return 0;
  return name === "loop" || name === "realtime" ? false : null;
}

function text(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

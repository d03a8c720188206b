// The list of shapes beside the picture: everything that is drawn, as fields that the keyboard and screen readers reach.

import { el, replace } from "../ui/dom.ts";
import { type Kind, type Setting, kindOf, kindsFor, parsed, shownValue } from "./kinds.ts";
import {
  type Drawing,
  GROUND_POINTS,
  type ShapeId,
  fewestPoints,
  hasFreePoints,
  pointsOf,
  withNewRule,
  withPoints,
  withRule,
  withSetting,
  withoutPoint,
  withoutShape,
} from "./model.ts";
import { type Problem, pathOf, problemsAt } from "./problems.ts";
import type { Session } from "./session.ts";

export class Panel {
  readonly node = el("div", { class: "edit-panel stack" });
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
    session.onChange(() => this.show());
    this.show();
  }

  /** Shows what is drawn now. A field that has the focus keeps it, as the list may change with every key. */
  private show(): void {
    const focused = this.node.contains(document.activeElement) ? document.activeElement : null;
    const key = focused?.getAttribute("data-key") ?? null;
    const isTyping = focused instanceof HTMLInputElement && focused.type !== "checkbox";
    const [typed, start] = isTyping ? [focused.value, focused.selectionStart] : [null, null];
    const { drawing } = this.session;
    const rules = drawing.rules.map((_, index) => this.shape(index));
    const ground = drawing.ground === null ? [] : [this.shape("ground")];
    const others = this.session.problems.filter((one) => !one.path.startsWith("rules.") && !one.path.startsWith("ground"));
    replace(
      this.node,
      el("h2", null, "Shapes"),
      rules.length + ground.length === 0 && el("p", { class: "soft" }, "Nothing is drawn yet. Choose Zone or Line, then press on the picture."),
      el("ul", { class: "edit-shapes", "aria-label": "Shapes" }, ...rules, ...ground),
      ...others.map((problem) => problemNote(problem, "edit-problem-all")),
      el("button", { onclick: () => this.addWholePicture(), "data-key": "add-whole" }, "Rule for the whole picture"),
    );
    if (key === null) return;
    const again = this.node.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
    again?.focus({ preventScroll: true });
    if (again instanceof HTMLInputElement && typed !== null) {
      again.value = typed;
      if (start !== null) again.setSelectionRange(start, start);
    }
  }

  private addWholePicture(): void {
    const { session } = this;
    session.change(withNewRule(session.drawing, "fall", null));
    session.select(session.drawing.rules.length - 1);
  }

  private shape(id: ShapeId): HTMLElement {
    const { session } = this;
    const { drawing } = session;
    const isOpen = session.selection?.id === id;
    const path = pathOf(drawing, id);
    const problems = problemsAt(session.problems, path);
    const rule = id === "ground" ? null : drawing.rules[id]!;
    const title = rule === null ? "Ground points" : rule.name;
    const what = rule === null ? "metres on the floor" : (kindOf(rule.kind)?.title ?? rule.kind);
    const head = el(
      "button",
      {
        class: "plain edit-shape-head",
        "aria-expanded": String(isOpen),
        "data-key": `head-${id}`,
        onclick: () => session.select(isOpen ? null : id),
      },
      el("b", null, title),
      el("span", { class: "soft" }, what),
      problems.length > 0 && el("span", { class: "bad" }, "wrong"),
    );
    return el("li", { class: isOpen ? "edit-shape open" : "edit-shape" }, head, isOpen && this.fields(id, problems, path));
  }

  private fields(id: ShapeId, problems: Problem[], path: string): HTMLElement {
    const { session } = this;
    const own = id === "ground" ? [] : this.ruleFields(id, problems, path);
    const shown = new Set(id === "ground" ? [] : ["name", "kind", ...settingsOf(session.drawing, id).map((one) => one.name)]);
    const rest = problems.filter((one) => !shown.has(one.path.slice(path.length + 1)));
    return el(
      "div",
      { class: "edit-fields stack" },
      ...rest.map((problem) => problemNote(problem, `edit-problem-${id}`)),
      ...own,
      ...this.pointFields(id),
      el(
        "button",
        { class: "danger", "data-key": `delete-${id}`, onclick: () => session.change(withoutShape(session.drawing, id)) },
        id === "ground" ? "Delete the ground points" : "Delete this rule",
      ),
    );
  }

  private ruleFields(id: number, problems: Problem[], path: string): HTMLElement[] {
    const { session } = this;
    const rule = session.drawing.rules[id]!;
    const kinds = kindsFor(rule.shape, rule.kind);
    const kind = kinds.find((one) => one.name === rule.kind);
    const select = el(
      "select",
      { "data-key": `kind-${id}`, onchange: (event) => this.changeKind(id, (event.target as HTMLSelectElement).value) },
      ...kinds.map((one) => el("option", { value: one.name, selected: one.name === rule.kind }, one.title)),
    );
    const at = (name: string): Problem[] => problems.filter((one) => one.path === `${path}.${name}`);
    return [
      field("Name", textInput(`name-${id}`, rule.name, (text) => session.change(withRule(session.drawing, id, { name: text }))), at("name")),
      field("Kind", select, at("kind"), kind?.says ?? ""),
      ...settingsOf(session.drawing, id).map((setting) => this.setting(id, setting, at(setting.name))),
    ];
  }

  private setting(id: number, setting: Setting, problems: Problem[]): HTMLElement {
    const { session } = this;
    const value = session.drawing.rules[id]!.settings[setting.name];
    const input = textInput(`${setting.name}-${id}`, shownValue(value), (text) =>
      session.change(withSetting(session.drawing, id, setting.name, parsed(setting, text))),
    );
    input.placeholder = setting.without;
    if (setting.type === "number" || setting.type === "whole") input.inputMode = "decimal";
    return field(setting.unit === "" ? setting.label : `${setting.label} (${setting.unit})`, input, problems);
  }

  /** Another kind keeps the settings that it has, too; a zone needs points, others may be anywhere. */
  private changeKind(id: number, name: string): void {
    const { session } = this;
    const names = new Set((kindOf(name)?.settings ?? []).map((one) => one.name));
    const rule = session.drawing.rules[id]!;
    const kept = Object.fromEntries(Object.entries(rule.settings).filter(([key]) => names.has(key)));
    session.change(withRule(session.drawing, id, { kind: name, settings: kept }));
  }

  private pointFields(id: ShapeId): HTMLElement[] {
    const { session } = this;
    const rule = id === "ground" ? null : session.drawing.rules[id]!;
    const points = pointsOf(session.drawing, id);
    if (rule !== null && rule.points === null) return [el("p", { class: "soft" }, "It holds in the whole picture.")];
    const rows = points.map((_, at) => this.pointRow(id, at));
    const isAnywhere = rule !== null && (kindOf(rule.kind)?.anywhere ?? false);
    return [
      el("fieldset", { class: "edit-points" }, el("legend", null, "Points (x, y in the picture)"), ...rows),
      ...(isAnywhere && typeof id === "number"
        ? [el("button", { "data-key": `whole-${id}`, onclick: () => session.change(withPoints(session.drawing, id, null)) }, "Use the whole picture")]
        : []),
    ];
  }

  private pointRow(id: ShapeId, at: number): HTMLElement {
    const { session } = this;
    const { drawing } = session;
    const point = pointsOf(drawing, id)[at]!;
    const isSelected = session.selection?.at === at;
    const coordinate = (axis: 0 | 1): HTMLInputElement =>
      numberInput(`${axis === 0 ? "x" : "y"} of point ${at + 1}`, `point-${id}-${at}-${axis}`, point[axis], (value) => {
        const points = pointsOf(session.drawing, id).map((one, index) => (index === at ? withAxis(one, axis, value) : one));
        session.change(withPoints(session.drawing, id, points));
      });
    const canDelete = hasFreePoints(drawing, id) && pointsOf(drawing, id).length > fewestPoints(drawing, id);
    return el(
      "div",
      { class: isSelected ? "edit-point selected" : "edit-point" },
      el("span", { class: "number soft", "aria-hidden": "true" }, at + 1),
      coordinate(0),
      coordinate(1),
      id === "ground" ? el("span", { class: "soft" }, "=") : null,
      ...(id === "ground" ? this.metreInputs(at) : []),
      canDelete &&
        el(
          "button",
          {
            class: "plain icon",
            "aria-label": `Delete point ${at + 1}`,
            "data-key": `delete-point-${id}-${at}`,
            onclick: () => session.change(withoutPoint(session.drawing, id, at)),
          },
          "×",
        ),
    );
  }

  private metreInputs(at: number): HTMLElement[] {
    const { session } = this;
    const ground = session.drawing.ground;
    if (ground === null || at >= GROUND_POINTS) return [];
    const input = (axis: 0 | 1): HTMLInputElement =>
      numberInput(`${axis === 0 ? "x" : "y"} of point ${at + 1} in metres`, `metre-${at}-${axis}`, ground.metres[at]?.[axis] ?? 0, (value) => {
        const now = session.drawing.ground!;
        const metres = now.metres.map((one, index) => (index === at ? withAxis(one, axis, value) : one));
        session.change({ ...session.drawing, ground: { ...now, metres } });
      });
    return [input(0), input(1), el("span", { class: "soft" }, "m")];
  }
}

/** The settings that are shown for a rule: those of its kind, and others that it has. */
function settingsOf(drawing: Drawing, id: number): Setting[] {
  const rule = drawing.rules[id]!;
  const kind: Kind | undefined = kindOf(rule.kind) ?? kindsFor(rule.shape, rule.kind).find((one) => one.name === rule.kind);
  const known = kind?.settings ?? [];
  return known;
}

function withAxis(point: readonly [number, number], axis: 0 | 1, value: number): readonly [number, number] {
  return axis === 0 ? [value, point[1]] : [point[0], value];
}

let unique = 0;

function field(label: string, input: HTMLElement, problems: Problem[], note = ""): HTMLElement {
  const id = `edit-field-${unique++}`;
  if (problems.length > 0) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", id);
  }
  return el(
    "label",
    { class: "field" },
    label,
    input,
    note !== "" && el("small", { class: "soft" }, note),
    problems.length > 0 && el("small", { class: "bad", id }, problems.map((one) => one.sentence).join(" ")),
  );
}

function textInput(key: string, value: string, onInput: (text: string) => void): HTMLInputElement {
  return el("input", {
    type: "text",
    value,
    "data-key": key,
    autocomplete: "off",
    spellcheck: "false",
    oninput: (event) => onInput((event.target as HTMLInputElement).value),
  });
}

function numberInput(label: string, key: string, value: number, onInput: (value: number) => void): HTMLInputElement {
  return el("input", {
    type: "text",
    inputmode: "decimal",
    value,
    "aria-label": label,
    "data-key": key,
    autocomplete: "off",
    oninput: (event) => {
      const text = (event.target as HTMLInputElement).value.trim().replace(",", ".");
      const typed = Number(text);
      if (text !== "" && Number.isFinite(typed)) onInput(typed);
    },
  });
}

function problemNote(problem: Problem, id: string): HTMLElement {
  return el("p", { class: "note bad", id }, problem.sentence);
}

// The cameras of the deployment: their states, and adding, changing, pausing and removing them.

import { HttpProblem, getJson, sendJson } from "../http.ts";
import { ask, closeWindows } from "../editing/dialogs.ts";
import { el, replace } from "../ui/dom.ts";
import { CameraForm, type Fields } from "./form.ts";
import { freeCameraName, stateLook } from "./kinds.ts";

const AGAIN_MS = 3000;

interface Line {
  name: string;
  source: string;
  state: string;
  reason: string | null;
  fps: number | null;
  max_fps: number | null;
  paused: boolean;
}

interface Listed {
  cameras: Line[];
  file: string | null;
  runs: boolean;
}

/** Opens the list of cameras in `host`. Returns a function that ends it. */
export function openCameras(host: HTMLElement): () => void {
  const cameras = new Cameras(host);
  return () => cameras.end();
}

class Cameras {
  private readonly status = el("p", { role: "status" });
  private readonly where = el("p", { class: "soft" });
  private readonly list = el("div", { class: "wide" });
  private readonly formPlace = el("div");
  private readonly add = el("button", { class: "primary", onclick: () => this.openForm(null, {}) }, "Add a camera");
  private form: CameraForm | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private lines: Line[] = [];
  private shown = "";
  private isEnded = false;
  private readonly host: HTMLElement;

  constructor(host: HTMLElement) {
    this.host = host;
    const head = el("div", { class: "row" }, this.add, el("span", { class: "grow" }, this.where));
    replace(host, el("section", { class: "stack", "aria-label": "Cameras" }, el("h1", null, "Cameras"), head, this.status, this.formPlace, this.list));
    void this.read();
  }

  end(): void {
    this.isEnded = true;
    closeWindows();
    this.form?.end();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Reads the list, and again while it is shown. */
  private async read(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    try {
      const { cameras, file, runs } = await getJson<Listed>("/api/cameras");
      this.lines = cameras;
      const place = file === null ? "Changes end with the running deployment, as it was started without a file." : `Changes are saved in ${file}.`;
      this.where.textContent = runs ? place : `${place} Nothing runs with it on this machine.`;
      this.showList();
    } catch (problem) {
      this.add.hidden = problem instanceof HttpProblem && problem.status === 403;
      this.say(sentenceOf(problem), "bad");
    }
    if (this.isEnded) return;
    this.timer = setTimeout(() => (this.host.isConnected ? void this.read() : this.end()), AGAIN_MS);
  }

  private showList(): void {
    const text = JSON.stringify(this.lines);
    // The same list again would take the focus from a button.
    if (text === this.shown) return;
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : null;
    this.shown = text;
    if (this.lines.length === 0) {
      replace(this.list, el("p", { class: "panel soft" }, "There is no camera yet. Add the first one."));
      return;
    }
    const head = ["Camera", "State", "Frames/s", "Source", ""].map((title) =>
      el("th", { scope: "col", class: title === "Frames/s" ? "right" : null }, title === "" ? el("span", { class: "unseen" }, "What to do") : title),
    );
    replace(this.list, el("table", { class: "cameras-table" }, el("thead", null, el("tr", null, ...head)), el("tbody", null, ...this.lines.map((line) => this.row(line)))));
    if (focused) this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  private row(line: Line): HTMLElement {
    const { name } = line;
    const isOff = line.paused || line.state === "paused";
    const button = (label: string, act: () => void, kind: string | null = null): HTMLElement =>
      el("button", { class: kind, onclick: act, "aria-label": `${label} ${name}`, "data-key": `${label} ${name}` }, label);
    return el(
      "tr",
      { "data-camera": name },
      el("th", { scope: "row" }, name),
      el(
        "td",
        { class: "text" },
        el("span", { class: `cameras-state ${stateLook(line.state)}` }, line.state),
        line.reason !== null && el("small", { class: "soft" }, ` ${line.reason}`),
      ),
      el("td", { class: "right rate" }, line.fps === null ? "–" : line.fps.toFixed(1)),
      el("td", null, el("code", null, line.source)),
      el(
        "td",
        null,
        el(
          "div",
          { class: "row" },
          button("Change", () => void this.change(name)),
          isOff ? button("Resume", () => void this.act(name, "resume")) : button("Pause", () => void this.act(name, "pause")),
          button("Remove", () => void this.remove(name), "danger"),
        ),
      ),
    );
  }

  private openForm(name: string | null, fields: Fields): void {
    this.form?.end();
    this.say("");
    const close = (): void => {
      this.form = null;
      replace(this.formPlace);
      this.add.hidden = false;
      this.add.focus();
    };
    this.form = new CameraForm({
      name,
      fields,
      suggestedName: freeCameraName(this.lines.map((line) => line.name)),
      cancel: close,
      done: (sentence) => {
        close();
        this.say(sentence, "good");
        void this.read();
      },
    });
    this.add.hidden = true;
    replace(this.formPlace, this.form.node);
    this.form.focus();
  }

  private async change(name: string): Promise<void> {
    try {
      const { fields } = await getJson<{ fields: Fields }>(`/api/cameras/${encodeURIComponent(name)}`);
      this.openForm(name, fields);
    } catch (problem) {
      this.say(sentenceOf(problem), "bad");
    }
  }

  private async remove(name: string): Promise<void> {
    const choice = await ask(`Remove ${name}?`, "It is taken out of the configuration and is no longer read. What it has published stays as long as other messages do.", [
      { label: `Remove ${name}`, value: true, class: "danger" },
      { label: "Keep it", value: false, class: "primary" },
    ]);
    if (choice === true) await this.act(name, "remove");
  }

  private async act(name: string, what: "pause" | "resume" | "remove"): Promise<void> {
    this.say(`${name}: one moment …`);
    const path = `/api/cameras/${encodeURIComponent(name)}`;
    try {
      const request = what === "remove" ? sendJson<{ saved: string }>("DELETE", path) : sendJson<{ saved: string }>("POST", `${path}/${what}`);
      this.say((await request).saved, "good");
    } catch (problem) {
      this.say(sentenceOf(problem), "bad");
    }
    await this.read();
  }

  private say(sentence: string, kind = ""): void {
    this.status.textContent = sentence;
    this.status.className = kind === "" ? "soft" : `note ${kind}`;
  }
}

function sentenceOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

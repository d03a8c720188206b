// The editor of a camera's zones, lines and ground points, over its live picture.

import { HttpProblem } from "../http.ts";
import { el, replace } from "../ui/dom.ts";
import { ask, closeWindows, showText } from "./dialogs.ts";
import type { Drawing } from "./model.ts";
import { Panel } from "./panel.ts";
import { LivePicture, takePicture } from "./picture.ts";
import { type Saved, checkDrawing, readDrawing, saveDrawing } from "./saving.ts";
import { Session, type Tool } from "./session.ts";
import { Stage } from "./stage.ts";
import { asYaml } from "./yaml.ts";

const CHECK_MS = 400;
const NO_PICTURE_MS = 4000;
const WITHOUT_PICTURE: [number, number] = [1280, 720];
const TOOLS: { tool: Tool; label: string; says: string }[] = [
  { tool: "zone", label: "Zone", says: "Press on the corners of the zone, one after the other; press on the first one to finish." },
  { tool: "line", label: "Line", says: "Press on both ends of the line. People cross it from a to b, or from b to a." },
  { tool: "ground", label: "Ground points", says: "Press on four places of the floor whose distances you know, in the order in which you walk around." },
];

/** Opens the drawing editor of a camera in `host`. Returns a function that ends it. */
export function openDrawingEditor(host: HTMLElement, camera: string, close: () => void): () => void {
  let editor: Editor | null = null;
  let isEnded = false;
  replace(host, el("p", { role: "status", class: "soft" }, "Reading the rules …"));
  readDrawing(camera).then(
    (saved) => {
      if (!isEnded) editor = new Editor(host, camera, saved, close);
    },
    (problem: unknown) => {
      if (isEnded) return;
      const back = el("button", { onclick: close }, "Back");
      replace(host, el("div", { class: "stack" }, el("p", { class: "note bad", role: "alert" }, sentenceOf(problem)), el("div", { class: "row" }, back)));
    },
  );
  return () => {
    isEnded = true;
    editor?.end();
  };
}

class Editor {
  private readonly session: Session;
  private readonly stage: Stage;
  private readonly live: LivePicture;
  private readonly status = el("p", { role: "status", class: "edit-status" });
  private readonly spoken = el("p", { class: "unseen", "aria-live": "polite" });
  private readonly tools: HTMLButtonElement[];
  private readonly undo = el("button", { onclick: () => this.session.undo() }, "Undo");
  private readonly redo = el("button", { onclick: () => this.session.redo() }, "Redo");
  private readonly save = el("button", { class: "primary", onclick: () => void this.saveNow() }, "Save");
  private readonly take = el("button", { hidden: true, onclick: () => void this.takeNow() }, "Take a picture now");
  private readonly gone = new AbortController();
  private checkTimer: ReturnType<typeof setTimeout> | null = null;
  private lastChecked = "";
  /** What came of saving a drawing: it is said as long as that is the one on the page. */
  private told: { drawing: Drawing; sentence: string; kind: string } | null = null;
  private hasPicture = false;
  private isSaving = false;
  private readonly camera: string;
  private readonly close: () => void;
  private readonly host: HTMLElement;

  constructor(host: HTMLElement, camera: string, saved: Saved, close: () => void) {
    this.host = host;
    this.camera = camera;
    this.close = close;
    this.session = new Session(saved.drawing, saved.revision, saved.size ?? WITHOUT_PICTURE);
    this.stage = new Stage(this.session, (sentence) => (this.spoken.textContent = sentence));
    this.tools = TOOLS.map(({ tool, label }) =>
      el("button", { "aria-pressed": "false", "data-tool": tool, onclick: () => this.choose(tool) }, label),
    );
    replace(host, this.layout(new Panel(this.session)));
    this.session.onChange(() => this.changed());
    this.live = new LivePicture(camera, Math.max(640, host.clientWidth), { onPicture: (picture, size) => this.pictured(picture, size) });
    setTimeout(() => (this.take.hidden = this.hasPicture), NO_PICTURE_MS);
    window.addEventListener("keydown", this.keyed);
    window.addEventListener("beforeunload", this.leaving);
    this.changed();
    this.stage.repaint();
  }

  end(): void {
    closeWindows();
    this.live.end();
    this.stage.end();
    this.gone.abort();
    if (this.checkTimer !== null) clearTimeout(this.checkTimer);
    window.removeEventListener("keydown", this.keyed);
    window.removeEventListener("beforeunload", this.leaving);
  }

  private layout(panel: Panel): HTMLElement {
    const cancel = el("button", { onclick: () => void this.leave() }, "Close");
    const copy = el("button", { onclick: () => void this.copy() }, "Copy as YAML");
    const bar = el(
      "div",
      { class: "row edit-bar", role: "toolbar", "aria-label": "Drawing" },
      ...this.tools,
      this.undo,
      this.redo,
      this.take,
      el("span", { class: "grow" }),
      copy,
      cancel,
      this.save,
    );
    return el(
      "section",
      { class: "edit", "aria-label": `Draw on ${this.camera}` },
      el("h1", null, `Draw on ${this.camera}`),
      bar,
      this.status,
      this.spoken,
      el("div", { class: "edit-both" }, this.stage.node, panel.node),
    );
  }

  private choose(tool: Tool): void {
    if (this.session.tool === tool) this.session.cancel();
    else this.session.begin(tool);
    this.stage.canvas.focus({ preventScroll: true });
  }

  private pictured(picture: ImageBitmap, size: readonly [number, number]): void {
    if (!this.host.isConnected) {
      this.end();
      return;
    }
    this.hasPicture = true;
    this.take.hidden = true;
    this.session.size = size;
    this.stage.show(picture);
  }

  private async takeNow(): Promise<void> {
    this.take.disabled = true;
    this.say("Taking a picture; this may take some seconds …");
    try {
      const bitmap = await createImageBitmap(await takePicture({ camera: this.camera }, this.gone.signal));
      // The source may be larger than what is shown of it, and its size is then known from its tracks.
      const size = this.session.size;
      const isAlike = Math.abs(size[0] / size[1] - bitmap.width / bitmap.height) < 0.02 && size[0] >= bitmap.width;
      this.pictured(bitmap, isAlike ? size : [bitmap.width, bitmap.height]);
      this.say("");
    } catch (problem) {
      this.say(sentenceOf(problem), "bad");
    }
    this.take.disabled = false;
  }

  private changed(): void {
    const { session } = this;
    for (const button of this.tools) button.setAttribute("aria-pressed", String(button.dataset["tool"] === session.tool));
    this.undo.disabled = !(session.history.canUndo || session.sketch.length > 0);
    this.redo.disabled = !session.history.canRedo;
    const wrong = session.problems.length;
    this.save.disabled = this.isSaving || wrong > 0 || session.tool !== null || !session.isChanged;
    const tool = TOOLS.find((one) => one.tool === session.tool);
    if (tool !== undefined) this.say(tool.says);
    else if (wrong > 0) this.say(`${wrong === 1 ? "One thing is" : `${wrong} things are`} wrong: ${session.problems[0]!.sentence}`, "bad");
    else if (session.drawing === this.told?.drawing) this.say(this.told.sentence, this.told.kind);
    else this.say(session.isChanged ? "Not saved yet." : "");
    this.checkSoon();
  }

  private checkSoon(): void {
    const { drawing } = this.session;
    const text = JSON.stringify(drawing);
    if (text === this.lastChecked) return;
    if (this.checkTimer !== null) clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => void this.checkNow(text), CHECK_MS);
  }

  private async checkNow(text: string): Promise<void> {
    const { drawing } = this.session;
    try {
      const { problems } = await checkDrawing(this.camera, drawing);
      this.session.checked = problems;
    } catch (problem) {
      const isForm = problem instanceof HttpProblem && problem.status === 400;
      this.session.checked = isForm ? [{ path: (problem as HttpProblem).path ?? "", sentence: sentenceOf(problem) }] : [];
    }
    this.lastChecked = text;
    this.session.tell();
  }

  private async saveNow(): Promise<void> {
    const { session } = this;
    const drawing = session.drawing;
    this.isSaving = true;
    this.save.disabled = true;
    this.tell("Saving …");
    try {
      const { revision, saved } = await saveDrawing(this.camera, session.revision, drawing);
      session.revision = revision;
      session.saved = drawing;
      this.isSaving = false;
      this.tell(`Saved. ${saved}`, "good", drawing);
    } catch (problem) {
      this.isSaving = false;
      if (problem instanceof HttpProblem && problem.status === 409) await this.conflict(problem.sentence);
      else this.tell(`Not saved: ${sentenceOf(problem)} Your drawing is still here, and can be copied as YAML.`, "bad", drawing);
    }
  }

  /** Somebody else was faster. Whatever is chosen, the own drawing can be brought back by Undo. */
  private async conflict(sentence: string): Promise<void> {
    this.tell(sentence, "bad");
    const choice = await ask("Somebody else has changed this", sentence, [
      { label: "Save mine over it", value: "mine", class: "danger" },
      { label: "Take theirs", value: "theirs" },
      { label: "Copy mine as YAML", value: "copy" },
      { label: "Go on drawing", value: "on", class: "primary" },
    ]);
    if (choice === "copy") await this.copy();
    if (choice !== "mine" && choice !== "theirs") return;
    try {
      const theirs = await readDrawing(this.camera);
      this.session.rebase(theirs.drawing, theirs.revision, choice === "mine" ? this.session.drawing : theirs.drawing);
      if (choice === "mine") await this.saveNow();
      else this.tell("This is what they drew. Undo brings yours back.");
    } catch (problem) {
      this.tell(`Not saved: ${sentenceOf(problem)}`, "bad");
    }
  }

  private async copy(): Promise<void> {
    const { drawing } = this.session;
    let yaml = "";
    try {
      yaml = (await checkDrawing(this.camera, drawing)).yaml;
    } catch {
      // The wall does not answer, or there is something wrong with it: it can be copied all the same.
    }
    await showText("The drawing as YAML", yaml || asYaml(this.camera, drawing));
  }

  private async leave(): Promise<void> {
    if (this.session.isChanged || this.session.sketch.length > 0) {
      const choice = await ask("Close without saving?", "What you drew is not saved.", [
        { label: "Close without saving", value: true, class: "danger" },
        { label: "Go on drawing", value: false, class: "primary" },
      ]);
      if (choice !== true) return;
    }
    this.end();
    this.close();
  }

  private readonly leaving = (event: BeforeUnloadEvent): void => {
    if (this.host.isConnected && this.session.isChanged) event.preventDefault();
  };

  private readonly keyed = (event: KeyboardEvent): void => {
    if (!this.host.isConnected) {
      this.end();
      return;
    }
    const isText = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (isText || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.session.undo();
    else if (key === "y" || (key === "z" && event.shiftKey)) this.session.redo();
    else return;
    event.preventDefault();
  };

  /** Says what came of saving `drawing`, also while the page checks it again. */
  private tell(sentence: string, kind = "", drawing = this.session.drawing): void {
    this.told = { drawing, sentence, kind };
    this.session.tell();
  }

  private say(sentence: string, kind = ""): void {
    this.status.className = kind === "" ? "edit-status soft" : `note edit-status ${kind}`;
    if (this.status.textContent !== sentence) this.status.textContent = sentence;
  }
}

function sentenceOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

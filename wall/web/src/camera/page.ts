// The camera page: asks for the camera, shows it with the identities that come back, and says what happens in words.

import { getJson } from "../http.ts";
import type { Person } from "../protocol.ts";
import { el, setText } from "../ui/dom.ts";
import { CanvasPool, type Canvas, grab } from "./capture.ts";
import { type Choice, type Controls, MODES, buildControls, keepChoice, keptChoice } from "./controls.ts";
import { type LinkState, pageKey } from "./link.ts";
import { drawOwnFrame } from "./overlay.ts";
import { CameraProblem, openCamera, reasonNotToAsk } from "./permission.ts";
import { Session } from "./session.ts";

const FIGURES_MS = 500;
const PREVIEW_PX = 960;
/** So many frames wait only where nothing takes them. */
const MANY_WAIT = 4;
const NO_RESULTS =
  "Frames arrive at the wall, but no identities come back. They do as soon as a worker and a tracker run there and keep up.";

export class CameraPage {
  private readonly choice: Choice = keptChoice(local());
  private readonly controls: Controls;
  private readonly video = el("video", { muted: true, playsinline: true, autoplay: true }) as HTMLVideoElement;
  private readonly canvas = el("canvas", {
    class: "camera-picture",
    role: "img",
    "aria-label": "What the camera sees, with the people that were found",
  }) as HTMLCanvasElement;
  private readonly start = el("button", { class: "primary", onclick: () => void this.toggle() }, "Start");
  private readonly status = el("p", { class: "camera-status", role: "status" });
  private readonly problem = el("p", { class: "note bad", role: "alert", hidden: true });
  private readonly figures = el("dl", { class: "camera-figures number" });
  private readonly pool = new CanvasPool();
  private stream: MediaStream | null = null;
  private session: Session | null = null;
  private wake: { release(): Promise<void> } | null = null;
  private engine = "";
  private said = "";

  constructor(host: HTMLElement) {
    this.controls = buildControls(this.choice, (field) => this.changed(field));
    host.replaceChildren(
      el(
        "main",
        { class: "camera-page" },
        el(
          "header",
          { class: "row" },
          el("h1", { class: "grow" }, "This device as a camera"),
          el("a", { class: "button", href: "/" }, "To the wall"),
        ),
        this.problem,
        el(
          "div",
          { class: "camera-columns" },
          el("div", { class: "stack" }, el("div", { class: "camera-frame" }, this.canvas), this.start, this.status, this.figures),
          el("div", { class: "panel stack" }, this.controls.root),
        ),
      ),
    );
    this.say("Press Start. The browser then asks whether this page may use the camera; before that, nothing is sent.");
    const reason = reasonNotToAsk(window.isSecureContext, "mediaDevices" in navigator, location.host);
    if (reason !== null) this.fail(reason);
    else void this.begin();
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    setInterval(() => this.showFigures(), FIGURES_MS);
    this.draw();
  }

  /** Asks for nothing where this person may not send anything. */
  private async begin(): Promise<void> {
    try {
      const person = await getJson<Person>("/api/me");
      if (!person.rights.includes("send")) {
        this.start.hidden = true;
        this.fail(`${person.name} is a ${person.role}, whose browser may not be a camera. An operator's may.`);
        return;
      }
    } catch {
      // The wall says why at Start.
    }
    await this.showIfAllowed();
  }

  /** Whoever has allowed the camera before sees it at once; it is sent only after Start. */
  private async showIfAllowed(): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: "camera" as PermissionName });
      if (permission.state === "granted") await this.open();
      if (permission.state === "denied") this.fail("The browser has been told not to give this page the camera. Allow it with the symbol beside the address, then press Start.");
    } catch {
      // Some browsers cannot say it; Start asks.
    }
  }

  private async toggle(): Promise<void> {
    if (this.session !== null) {
      this.stop();
      this.say("Stopped. Nothing is sent any more.");
      return;
    }
    this.problem.hidden = true;
    this.start.setAttribute("disabled", "");
    try {
      await this.open();
      this.run();
    } catch (problem) {
      this.fail(problem instanceof CameraProblem ? problem.message : String(problem));
    } finally {
      this.start.removeAttribute("disabled");
    }
  }

  private async open(): Promise<void> {
    const reason = reasonNotToAsk(window.isSecureContext, "mediaDevices" in navigator, location.host);
    if (reason !== null) throw new CameraProblem(reason);
    if (this.stream?.active) return;
    this.say("The browser asks whether this page may use the camera.");
    const { deviceId, facing, fps, side } = this.choice;
    this.stream = await openCamera({ deviceId, facing, fps, side: side ?? 640 }, navigator.mediaDevices);
    for (const track of this.stream.getVideoTracks())
      track.addEventListener("ended", () => {
        this.stop();
        this.fail("The camera was disconnected, or the permission was taken back. Connect it, then press Start again.");
      });
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => undefined);
    this.controls.devices(await navigator.mediaDevices.enumerateDevices());
    this.say("The camera is on. Nothing is sent before Start.");
  }

  private run(): void {
    this.engine = "";
    this.session = new Session({
      video: this.video,
      mode: this.choice.mode,
      name: this.choice.name,
      page: pageKey(ofTab(), (bytes) => crypto.getRandomValues(bytes)),
      fps: this.choice.fps,
      side: this.choice.side,
      turn: () => this.choice.turn,
      webgpu: "gpu" in navigator,
      onState: (state, camera) => this.linked(state, camera),
      onProblem: (sentence) => this.troubled(sentence),
      onNetwork: (engine) => {
        this.engine = engine;
        this.problem.hidden = true;
        this.say(`No picture leaves this device. The network runs on ${engine}.`);
      },
      onIdentities: () => document.body.setAttribute("data-identities", "yes"),
    });
    this.controls.lock(true);
    setText(this.start, "Stop");
    this.start.className = "danger";
    if (this.choice.mode === "poses")
      this.say("Loading the network. The first time on this wall, that can take a minute.");
    void this.stayAwake();
  }

  private stop(): void {
    this.session?.stop();
    this.session = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
    this.controls.lock(false);
    setText(this.start, "Start");
    this.start.className = "primary";
    void this.wake?.release().catch(() => undefined);
    this.wake = null;
    document.body.removeAttribute("data-camera");
  }

  private linked(state: LinkState, camera: string | null): void {
    if (state === "started" && camera !== null) {
      document.body.setAttribute("data-camera", camera);
      this.problem.hidden = true;
      if (this.choice.mode === "pictures" || this.engine !== "")
        this.say(`This device is the camera ${camera}. ${MODES[this.choice.mode].words}`);
    } else if (state === "lost") this.say("The wall does not answer. The camera goes on as soon as it is back.");
    else if (state === "ended" && this.session !== null) queueMicrotask(() => this.stop());
  }

  private troubled(sentence: string): void {
    this.fail(sentence);
    if (this.choice.mode === "poses" && this.engine === "" && this.session !== null) this.stop();
  }

  private changed(field: keyof Choice): void {
    keepChoice(local(), this.choice);
    if (field !== "deviceId" && field !== "side" && field !== "fps") return;
    if (this.session !== null || this.stream === null) return;
    this.stream.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.open().catch((problem: unknown) => this.fail(problem instanceof Error ? problem.message : String(problem)));
  }

  /** A phone that goes to sleep is no camera. */
  private async stayAwake(): Promise<void> {
    if (this.session === null || document.hidden || !("wakeLock" in navigator)) return;
    this.wake = await navigator.wakeLock.request("screen").catch(() => null);
  }

  private draw(): void {
    requestAnimationFrame(() => this.draw());
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const own = this.session?.ownFrame ?? null;
    const live: Canvas | null = own === null ? grab(this.video, this.choice.turn, PREVIEW_PX, this.pool) : null;
    const frame = own ?? (live === null ? null : { picture: live, size: [live.width, live.height] as const, tracks: [] });
    if (frame === null) return;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round((width * frame.size[1]) / frame.size[0]);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    drawOwnFrame(this.canvas, frame, this.choice.mirror, ratio);
    if (live !== null) this.pool.give(live);
  }

  private showFigures(): void {
    const found = this.session?.figures();
    setText(this.status, found && found.people === null && found.waiting >= MANY_WAIT ? NO_RESULTS : this.said);
    const entries: [string, string][] = found
      ? [
          ["People", found.people === null ? "-" : String(found.people)],
          ["Frames a second", found.fps.toFixed(1)],
          ["Delay (95 %)", found.delayP95Ms === null ? "-" : `${Math.round(found.delayP95Ms)} ms`],
          ["Sent for a frame", found.bytes === null ? "-" : `${(found.bytes / 1000).toFixed(1)} kB`],
          ...(found.tookMs === null
            ? []
            : [["Network", `${Math.round(found.tookMs)} ms at ${found.imgsz} px`] as [string, string]]),
        ]
      : [];
    this.figures.replaceChildren(
      ...entries.map(([name, value]) => el("div", null, el("dt", { class: "soft" }, name), el("dd", null, value))),
    );
  }

  private say(sentence: string): void {
    this.said = sentence;
    setText(this.status, sentence);
  }

  private fail(sentence: string): void {
    setText(this.problem, sentence);
    this.problem.hidden = false;
    if (this.session === null) this.say("The camera is off.");
  }
}

function local(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function ofTab(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

// What a first visitor reads where nothing is to be seen yet: the next step, ready to press or to copy.

import type { CameraInfo } from "../protocol.ts";
import { address } from "../routes.ts";
import { el, replace } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import type { Wall } from "../wall.ts";

/** Fills `host` with what to do if there is no camera, or with a note while the list has not come. */
export function emptyNote(wall: Wall, host: HTMLElement, cameras: CameraInfo[] | null): void {
  const state =
    cameras === null ? "loading" : cameras.length === 0 ? `empty ${wall.store.person?.rights.join() ?? ""}` : "";
  if (host.dataset["state"] === state) return;
  host.dataset["state"] = state;
  host.hidden = state === "";
  if (state === "") replace(host);
  else if (cameras === null) replace(host, el("p", { class: "soft", role: "status" }, "Looking for cameras …"));
  else replace(host, firstSteps(wall));
}

function firstSteps(wall: Wall): HTMLElement {
  const { store } = wall;
  const steps = el(
    "div",
    { class: "panel stack first" },
    el("h1", null, "No cameras yet"),
    el("p", { class: "soft" }, "As soon as a camera is added, it appears here by itself, with the people in it."),
  );
  const buttons = el("div", { class: "row" });
  if (store.may("change"))
    buttons.append(
      el("a", { class: "button primary", href: address({ view: "cameras" }) }, icon("camera"), "Add a camera"),
    );
  if (store.may("send"))
    buttons.append(el("a", { class: "button", href: "/camera" }, icon("send"), "Use this device's camera"));
  if (buttons.children.length > 0) steps.append(buttons);
  steps.append(
    el("p", null, "From a terminal, a camera of the network:"),
    command("posebus camera add entrance rtsp://USER:PASSWORD@ADDRESS/stream"),
    el("p", null, "Or two moving pictures with people in them, to try it without a camera:"),
    command("posebus up synthetic:bus synthetic:zidane --wall"),
  );
  return steps;
}

function command(text: string): HTMLElement {
  const copied = el("span", { class: "unseen", role: "status" });
  const copy = el("button", { class: "plain" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
      copied.textContent = "Copied";
    } catch {
      copy.textContent = "Select it and copy";
    }
  });
  return el("div", { class: "command" }, el("code", { tabindex: 0 }, text), copy, copied);
}

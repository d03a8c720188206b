// The moment of an event: its picture, what it says, and all of its fields.

import type { WallEvent } from "../protocol.ts";
import { HttpProblem, request } from "../http.ts";
import { eventWords, kindOf, ruleOf } from "../live/event_words.ts";
import { address } from "../routes.ts";
import { openDialog } from "../ui/dialog.ts";
import { el, replace } from "../ui/dom.ts";
import { clock, day } from "../ui/times.ts";
import type { Wall } from "../wall.ts";

export function openMoment(wall: Wall, event: WallEvent): HTMLDialogElement {
  const at = Date.parse(event.time);
  const camera = event.data.camera;
  const picture = el("div", { class: "moment-picture" });
  const facts: [string, string][] = [
    ["Camera", camera],
    ["When", `${day(at)}, ${clock(at)}`],
    ["Kind", kindOf(event)],
    ["Frame", `${event.data.epoch}:${event.data.seq}`],
  ];
  const rule = ruleOf(event);
  if (rule !== null) facts.splice(2, 0, ["Rule", rule]);
  const list = el(
    "dl",
    { class: "facts" },
    ...facts.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", { class: "number" }, value))),
  );
  const json = el(
    "details",
    null,
    el("summary", null, "All fields"),
    el("pre", { class: "json", tabindex: 0 }, JSON.stringify(event, null, 2)),
  );
  let address_ = "";
  const dialog = openDialog(
    eventWords(event),
    "moment",
    [picture, list, json, el("div", { class: "row" })],
    () => address_ && URL.revokeObjectURL(address_),
  );
  dialog.lastElementChild!.append(
    el(
      "a",
      { class: "button", href: address({ view: "camera", camera }), onclick: () => dialog.close() },
      "Open the camera",
    ),
  );
  void showPicture(wall, event, picture).then((made) => {
    address_ = made;
    if (!dialog.isConnected && made) URL.revokeObjectURL(made);
  });
  return dialog;
}

async function showPicture(wall: Wall, event: WallEvent, host: HTMLElement): Promise<string> {
  if (!wall.store.pictures) {
    replace(
      host,
      el(
        "p",
        { class: "soft" },
        wall.store.may("pictures")
          ? "Pictures are switched off: “Skeletons only” is on."
          : "Your role does not show pictures.",
      ),
    );
    return "";
  }
  replace(host, el("p", { class: "soft", role: "status" }, "Fetching the picture …"));
  try {
    const path = `/api/events/${encodeURIComponent(event.id)}/picture?camera=${encodeURIComponent(event.data.camera)}`;
    const made = URL.createObjectURL(await (await request("GET", path)).blob());
    replace(host, el("img", { src: made, alt: `${event.data.camera} at that moment` }));
    return made;
  } catch (problem) {
    replace(
      host,
      el(
        "p",
        { class: "soft", role: "status" },
        problem instanceof HttpProblem ? problem.sentence : "The picture cannot be shown.",
      ),
    );
    return "";
  }
}

// The keys of the page, and what the drawings mean.

import { openDialog } from "../ui/dialog.ts";
import { el } from "../ui/dom.ts";

const KEYS: readonly [string, string][] = [
  ["Arrows", "go from tile to tile; in the large view, to the next camera"],
  ["Enter", "open a camera large"],
  ["Esc", "go back to all cameras"],
  ["w p e f i", "wall, people, events, floor plan, status"],
  ["s", "skeletons only, on or off"],
  ["t", "dark, light, or as the system has it"],
  ["?", "this help"],
];

const MEANINGS: readonly [string, string][] = [
  ["Colour and number", "Each person keeps both for as long as posebus recognises them."],
  ["Line behind the feet", "The way of the last five seconds."],
  ["Dashed box", "The person is hidden at the moment; the box says where they should be."],
  ["Arrow over a line", "The direction that events call from a to b."],
];

export function openHelp(version: string): HTMLDialogElement {
  const keys = KEYS.map(([key, does]) =>
    el(
      "div",
      null,
      el("dt", null, ...key.split(" ").flatMap((one) => [el("kbd", null, one), " "])),
      el("dd", null, does),
    ),
  );
  const meanings = MEANINGS.map(([what, means]) => el("div", null, el("dt", null, what), el("dd", null, means)));
  return openDialog("Help", "help", [
    el("section", { class: "stack" }, el("h3", null, "Keys"), el("dl", { class: "pairs" }, ...keys)),
    el("section", { class: "stack" }, el("h3", null, "What you see"), el("dl", { class: "pairs" }, ...meanings)),
    version && el("p", { class: "soft" }, `posebus ${version}`),
  ]);
}

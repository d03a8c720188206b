// The windows of the editor: a text to copy, somebody else's changes, and what is not saved yet.

import { type Child, el } from "../ui/dom.ts";
import { copied } from "./saving.ts";

let unique = 0;

/** Opens a window with a title. The browser keeps the focus inside and gives it back. */
export function openWindow(title: string, children: Child[]): HTMLDialogElement {
  const id = `edit-window-${unique++}`;
  const dialog = el("dialog", { "aria-labelledby": id, class: "edit-window" }, el("h2", { id }, title), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Closes all windows, as the view that opened them ends. */
export function closeWindows(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog.edit-window")) dialog.close();
}

/** Asks once; the answer comes by the button that is pressed, null if the window is closed without one. */
export async function ask<T>(title: string, text: string, choices: { label: string; value: T; class?: string }[]): Promise<T | null> {
  return await new Promise((resolve) => {
    let answer: T | null = null;
    const buttons = choices.map(({ label, value, class: kind }) =>
      el(
        "button",
        {
          class: kind ?? null,
          onclick: () => {
            answer = value;
            dialog.close();
          },
        },
        label,
      ),
    );
    const dialog = openWindow(title, [el("p", null, text), el("div", { class: "row" }, ...buttons)]);
    dialog.addEventListener("close", () => resolve(answer));
  });
}

/** Shows a text to copy, and copies it where the browser allows that. */
export async function showText(title: string, text: string): Promise<void> {
  const area = el("textarea", { rows: Math.min(18, text.split("\n").length + 1), readonly: true, "aria-label": title, class: "edit-yaml" });
  area.value = text;
  const done = await copied(text);
  const note = done ? "It is copied." : "Copy it from here.";
  const close = el("button", { class: "primary", onclick: () => dialog.close() }, "Close");
  const dialog = openWindow(title, [el("p", { role: "status" }, note), area, el("div", { class: "row" }, close)]);
  if (!done) area.select();
}

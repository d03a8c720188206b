// Windows over the page. The browser's own <dialog> keeps the focus inside and gives it back.

import { type Child, el } from "./dom.ts";
import { icon } from "./icons.ts";

let unique = 0;

/** Opens a dialog with a title and a button that closes it; `onClose` is called however it closes. */
export function openDialog(
  title: string,
  kind: string,
  children: Child[],
  onClose: () => void = () => undefined,
): HTMLDialogElement {
  const id = `dialog-${unique++}`;
  const dialog = el("dialog", { class: kind, "aria-labelledby": id });
  const close = el(
    "button",
    { class: "plain icon", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  dialog.append(el("div", { class: "dialog-head" }, el("h2", { id }, title), close));
  dialog.append(
    ...children
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose();
  });
  // A press beside it closes it, as people expect.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Opens the drawing editor of a camera in `host`. */
export function openDrawingEditor(host: HTMLElement, camera: string, close: () => void): void {
  host.textContent = `The editor for ${camera} is not in this build.`;
  void close;
}

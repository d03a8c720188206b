/** Opens the list of cameras for changes in `host`; the returned function ends it. */
export function openCameras(host: HTMLElement): () => void {
  host.textContent = "The list of cameras is not in this build.";
  return () => host.replaceChildren();
}

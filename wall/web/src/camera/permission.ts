// Asking for the camera, and what to say and do when that fails.

export type Facing = "user" | "environment";

export interface CameraWish {
  /** A camera of the list, or the side of a phone. */
  deviceId: string | null;
  facing: Facing;
  fps: number;
  side: number;
}

/** Why there is no camera, as a sentence that says what to do. */
export class CameraProblem extends Error {}

/** Why this page can never get a camera, by how it was opened; null if it can ask. */
export function reasonNotToAsk(secure: boolean, hasDevices: boolean, host: string): string | null {
  if (!secure)
    return (
      `This page came over http, and browsers give cameras only to pages that come over HTTPS or from this very ` +
      `machine. Open https://${host}/camera instead; if nothing answers there, the wall has to be started with TLS.`
    );
  if (!hasDevices) return "This browser has no access to cameras. Try a current Chrome, Firefox, Edge or Safari.";
  return null;
}

/** What to do about an error of getUserMedia, by its name. */
export function sentenceFor(name: string): string {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
    case "PermissionDeniedError":
      return "The browser may not use the camera. Allow it for this page, with the symbol beside the address or in the settings of the browser or the system, then press Start again.";
    case "NotFoundError":
    case "DevicesNotFoundError":
      return "This device has no camera that the browser can find. Connect one, then press Start again.";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "The camera is in use by another program, or does not answer. Close the other program, then press Start again.";
    case "OverconstrainedError":
      return "The chosen camera is not there any more. Choose another one, then press Start again.";
    default:
      return `The camera cannot be opened (${name}). Try another camera or browser.`;
  }
}

/** Asks for the camera; the person sees the browser's question the first time. Throws CameraProblem. */
export async function openCamera(wish: CameraWish, devices: MediaDevices): Promise<MediaStream> {
  const size = { width: { ideal: wish.side }, frameRate: { ideal: wish.fps } };
  const which = wish.deviceId ? { deviceId: { exact: wish.deviceId } } : { facingMode: { ideal: wish.facing } };
  try {
    return await devices.getUserMedia({ video: { ...which, ...size }, audio: false });
  } catch (problem) {
    throw new CameraProblem(sentenceFor(problem instanceof Error ? problem.name : String(problem)));
  }
}

// The kinds of cameras, explained, and which kind an address is of. Pure.

export interface SourceKind {
  name: string;
  title: string;
  example: string;
  says: string;
}

export const SOURCE_KINDS: readonly SourceKind[] = [
  {
    name: "rtsp",
    title: "Network camera (RTSP)",
    example: "rtsp://user:password@192.0.2.10:554/stream1",
    says: "Most cameras and recorders. The address is in the camera's manual; 'posebus camera discover' finds those of the local network.",
  },
  {
    name: "http",
    title: "Network camera (HTTP)",
    example: "http://192.0.2.10/video.mjpg",
    says: "A stream over HTTP or HTTPS, or a page that gives one picture for each request.",
  },
  { name: "usb", title: "USB camera", example: "usb:0", says: "A camera at the machine that runs posebus: usb:0 is the first one." },
  {
    name: "file",
    title: "File",
    example: "recording.mp4",
    says: "A video or a folder of pictures beside the configuration file, or beside a file that is a camera already.",
  },
  { name: "synthetic", title: "Made up", example: "synthetic:bus", says: "A picture with people in it that moves, to try things out." },
];

/** The kind of an address as it is typed; null while it could be anything. */
export function kindOfSource(source: string): SourceKind | null {
  const text = source.trim().toLowerCase();
  if (text === "") return null;
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(text)?.[1] ?? "";
  const name =
    { rtsp: "rtsp", rtsps: "rtsp", http: "http", https: "http", usb: "usb", synthetic: "synthetic" }[scheme] ??
    (text.includes("://") && scheme !== "file" ? "rtsp" : "file");
  return SOURCE_KINDS.find((one) => one.name === name) ?? null;
}

/** A name for a camera that no other one has: `camera-1`, … */
export function freeCameraName(taken: readonly string[]): string {
  let number = 1;
  while (taken.includes(`camera-${number}`)) number += 1;
  return `camera-${number}`;
}

/** How a state is shown: what works, what somebody has switched off, and what needs a look. */
export function stateLook(state: string): "good" | "warn" | "bad" | "" {
  if (["online", "ended", "standby"].includes(state)) return "good";
  if (["offline", "given up"].includes(state)) return "bad";
  return state === "starting" ? "warn" : "";
}

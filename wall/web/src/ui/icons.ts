// The icons of the page: lines on a grid of 24, in the colour of the text beside them.

import { svg } from "./dom.ts";

const PATHS = {
  wall: ["M4 5h7v6H4z", "M13 5h7v6h-7z", "M4 13h7v6H4z", "M13 13h7v6h-7z"],
  people: [
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
    "M2.5 20c.4-4 3-6 6.500-6s6.100 2 6.500 6",
    "M16 4.500a3.500 3.500 0 0 1 0 6.500",
    "M18 14.500c2 .8 3.200 2.600 3.500 5.500",
  ],
  events: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5l3.500 2"],
  floor: ["M3 6.500 9 4l6 2.500L21 4v13.500L15 20l-6-2.500L3 20z", "M9 4v13.500", "M15 6.500V20"],
  status: ["M3 12h4l3-8 4 16 3-8h4"],
  camera: ["M3 8h12v9H3z", "m15 11.500 6-3.500v9l-6-3.500z"],
  body: ["M12 6.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4z", "M12 8v6", "M6 10l6-1 6 1", "m12 14-3.500 7", "m12 14 3.500 7"],
  send: ["M7 3h10v18H7z", "M11 18h2"],
  theme: ["M12 3v18", "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7a5 5 0 0 1 0 10"],
  help: [
    "M9 9a3 3 0 1 1 4.200 2.700c-.9.5-1.200 1-1.200 2.300",
    "M12 17.500v.1",
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  ],
  back: ["M14 5l-7 7 7 7"],
  next: ["M10 5l7 7-7 7"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  draw: ["M4 20l1-4L16 5l3 3L8 19z", "M13.500 7.500l3 3"],
  leave: ["M10 4H5v16h5", "M14 8l4 4-4 4", "M18 12H9"],
  off: ["M3 8h9l6 6v3h-3", "M3 8v9h9", "m21 9-4 2.300", "M21 9v8", "M3 3l18 18"],
  pause: ["M8 5v14", "M16 5v14"],
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName, size = 18): SVGSVGElement {
  const paths = PATHS[name].map((d) => svg("path", { d }));
  const lines = {
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
  return svg(
    "svg",
    { width: size, height: size, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false", ...lines },
    ...paths,
  );
}

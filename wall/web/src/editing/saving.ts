// Reading, checking and saving a drawing on the wall.

import { getJson, sendJson } from "../http.ts";
import type { Point, Size } from "./geometry.ts";
import type { Drawing, Ground, Rule } from "./model.ts";
import type { Problem } from "./problems.ts";

export interface Saved {
  revision: string;
  size: Size | null;
  drawing: Drawing;
  yaml: string;
}

interface Sent {
  revision: string;
  size: Size | null;
  rules: Rule[];
  ground: Ground | null;
  yaml: string;
}

const path = (camera: string): string => `/api/cameras/${encodeURIComponent(camera)}/drawing`;

export async function readDrawing(camera: string): Promise<Saved> {
  const { revision, size, rules, ground, yaml } = await getJson<Sent>(path(camera));
  return { revision, size, drawing: { rules, ground }, yaml };
}

export async function saveDrawing(camera: string, revision: string, drawing: Drawing): Promise<{ revision: string; saved: string }> {
  return await sendJson("PUT", path(camera), { revision, ...forWall(drawing) });
}

export async function checkDrawing(camera: string, drawing: Drawing): Promise<{ problems: Problem[]; yaml: string }> {
  return await sendJson("POST", `${path(camera)}/check`, forWall(drawing));
}

function forWall(drawing: Drawing): { rules: unknown[]; ground: Ground | null } {
  const rules = drawing.rules.map(({ name, kind, shape, points, settings }) => ({ name, kind, shape, points: points as Point[] | null, settings }));
  return { rules, ground: drawing.ground };
}

/** Puts a text on the clipboard; false where the browser does not let us, as on pages without encryption. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// The drawing as YAML, made on the page where the wall cannot be asked: JSON values are YAML as well. Pure.

import type { Drawing } from "./model.ts";

export function asYaml(camera: string, drawing: Drawing): string {
  const lines = ["cameras:", `  ${JSON.stringify(camera)}:`];
  if (drawing.rules.length > 0) lines.push("    rules:");
  for (const rule of drawing.rules) {
    const values = { kind: rule.kind, ...(rule.points === null ? {} : { points: rule.points }), ...rule.settings };
    lines.push(`      ${JSON.stringify(rule.name)}: ${JSON.stringify(values)}`);
  }
  if (drawing.ground !== null) lines.push(`    ground: ${JSON.stringify(drawing.ground)}`);
  return `${lines.join("\n")}\n`;
}

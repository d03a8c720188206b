// Builds the pages of the wall into ../static. The same sources give the same bytes, which a test compares.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";

const out = process.argv[2] ?? "../static";
await build({
  entryPoints: { wall: "src/main.ts", camera: "src/camera/main.ts", camera_network: "src/camera/network/worker.ts", style: "src/style.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: out,
  legalComments: "none",
  logLevel: "warning",
});
for (const page of ["index.html", "camera.html", "icon.svg"]) await copyFile(`src/${page}`, `${out}/${page}`);

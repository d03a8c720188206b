// The state of the deployment, as `posebus top` shows it: what limits it, cameras, processes.

import type { CameraInfo, ProcessInfo } from "../protocol.ts";
import { stateKind } from "../live/condition.ts";
import { address } from "../routes.ts";
import { type Child, el, replace } from "../ui/dom.ts";
import { bytes, figure, milliseconds, since } from "../ui/times.ts";
import type { View, Wall } from "../wall.ts";

export function statusView(wall: Wall): View {
  const { store } = wall;
  wall.wishes.clear(1);
  wall.send({ type: "follow", deployment: true });
  const notes = el("div", { class: "stack" });
  const cameras = table("Cameras", ["Camera", "State", "People", "In, fps", "Out, fps", "Age", "Dropped", "Remarks"]);
  const processes = table("Processes", ["Process", "Does", "Host", "Pid", "Fps", "Id"]);
  const memory = el("p", { class: "soft number" });
  const node = el(
    "div",
    { class: "page stack" },
    el("h1", null, "Status"),
    notes,
    el("h2", null, "Cameras"),
    cameras.node,
    el("div", { class: "row" }, el("h2", { class: "grow" }, "Processes"), memory),
    processes.node,
  );

  function showCameras(): void {
    cameras.fill(
      (store.cameras ?? []).map((camera) => cameraRow(wall, camera)),
      "There are no cameras.",
    );
  }

  function showDeployment(): void {
    const found = store.deployment;
    replace(
      notes,
      !store.broker.there && el("p", { class: "note bad" }, store.broker.sentence ?? "The broker does not answer."),
      ...(found?.bottlenecks ?? []).map((sentence) => el("p", { class: "note warn" }, sentence)),
      ...(found?.warnings ?? []).map((sentence) => el("p", { class: "note warn" }, sentence)),
      found &&
        store.broker.there &&
        found.bottlenecks.length + found.warnings.length === 0 &&
        el("p", { class: "note good" }, "Nothing limits the deployment at the moment."),
    );
    processes.fill((found?.processes ?? []).map(processRow), found ? "No process reports itself." : "Asking …");
    const used = found?.broker_used_bytes ?? null;
    const limit = found?.broker_limit_bytes ?? null;
    memory.textContent = used === null ? "" : `Broker: ${bytes(used)}${limit ? ` of ${bytes(limit)}` : ""}`;
  }

  const offs = [
    store.on("cameras", showCameras),
    store.on("deployment", showDeployment),
    store.on("broker", showDeployment),
  ];
  showCameras();
  showDeployment();
  return {
    title: "Status",
    node,
    end: () => {
      for (const off of offs) off();
      wall.send({ type: "follow", deployment: false });
    },
  };
}

const RIGHT = new Set(["People", "In, fps", "Out, fps", "Age", "Dropped", "Pid", "Fps"]);

function table(
  label: string,
  columns: string[],
): { node: HTMLElement; fill: (rows: HTMLElement[], empty: string) => void } {
  const body = el("tbody");
  const head = el(
    "tr",
    null,
    ...columns.map((name) => el("th", { scope: "col", class: RIGHT.has(name) && "right" }, name)),
  );
  const node = el(
    "div",
    { class: "wide", role: "region", "aria-label": label, tabindex: 0 },
    el("table", null, el("thead", null, head), body),
  );
  const fill = (rows: HTMLElement[], empty: string): void => {
    // The focus is on a link of a row: the reader is about to follow it.
    if (body.contains(document.activeElement)) return;
    replace(
      body,
      ...(rows.length ? rows : [el("tr", null, el("td", { colspan: columns.length, class: "soft" }, empty))]),
    );
  };
  return { node, fill };
}

function cameraRow(wall: Wall, camera: CameraInfo): HTMLElement {
  const at = wall.store.offlineSince.get(camera.name);
  const online = camera.state === "online";
  const state = el(
    "td",
    null,
    el("span", { class: `state ${stateKind(camera)}` }, camera.state),
    !online && at !== undefined && el("small", null, ` since ${since(at, Date.now())}`),
  );
  const figures: Child[] = [
    camera.people === null ? "–" : String(camera.people),
    figure(camera.fps_in),
    figure(camera.fps_out),
    milliseconds(camera.age_ms),
    String(camera.dropped),
  ];
  return el(
    "tr",
    null,
    el(
      "th",
      { scope: "row", class: "name" },
      el("a", { href: address({ view: "camera", camera: camera.name }) }, camera.name),
    ),
    state,
    ...figures.map((value) => el("td", { class: "right" }, value)),
    el("td", { class: "text" }, camera.trouble ?? ""),
  );
}

function processRow(process: ProcessInfo): HTMLElement {
  return el(
    "tr",
    null,
    el("th", { scope: "row", class: "name" }, process.role),
    el("td", { class: "text" }, process.does),
    el("td", null, process.host),
    el("td", { class: "right" }, process.pid),
    el("td", { class: "right" }, figure(process.fps)),
    el("td", { class: "soft" }, process.id),
  );
}

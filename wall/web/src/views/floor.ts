// Where people are on the floor, in metres, seen from above.

import type { CameraInfo } from "../protocol.ts";
import { INK, colorOf } from "../drawing/colors.ts";
import { type Bounds, type PlanPlace, gridLines, gridStep, onPlan, planPlace, scaleBar } from "../drawing/plan.ts";
import type { Feed } from "../live/feeds.ts";
import { el, replace, setText } from "../ui/dom.ts";
import { figure, peopleText } from "../ui/times.ts";
import type { View, Wall } from "../wall.ts";

const MAX_FPS = 15;

export function floorView(wall: Wall): View {
  wall.wishes.clear(MAX_FPS);
  const canvas = el("canvas", { role: "img", "aria-label": "Floor plan" });
  const choice = el("select", { id: "floor-camera" });
  const head = el(
    "div",
    { class: "row" },
    el("h1", { class: "grow" }, "Floor plan"),
    el("label", { for: "floor-camera" }, "Camera"),
    choice,
  );
  const places = el("ul", { class: "unseen" });
  const none = el(
    "p",
    { class: "note" },
    "No camera has a ground plane. Mark four points on the picture with “Draw zones and lines” in a camera's large view, and give their places in metres.",
  );
  const node = el("div", { class: "page fill stack" }, head, none, el("div", { class: "plan" }, canvas), places);
  let camera = "";
  let off: (() => void) | null = null;

  function choose(name: string): void {
    off?.();
    wall.wishes.clear(MAX_FPS);
    camera = name;
    const feed = wall.feeds.of(name);
    const painter = (): void => draw();
    feed.painters.add(painter);
    off = () => feed.painters.delete(painter);
    wall.wishes.want(name, 1, false);
    draw();
  }

  function update(): void {
    const withFloor = (wall.store.cameras ?? []).filter((one) => one.floor !== null);
    none.hidden = wall.store.cameras === null || withFloor.length > 0;
    canvas.hidden = withFloor.length === 0;
    const names = withFloor.map((one) => one.name);
    if (choice.dataset["names"] !== JSON.stringify(names)) {
      choice.dataset["names"] = JSON.stringify(names);
      replace(choice, ...names.map((name) => el("option", { value: name }, name)));
    }
    choice.disabled = names.length === 0;
    if (names[0] !== undefined && !names.includes(camera)) choose(names[0]);
    choice.value = camera;
  }

  function draw(): void {
    const info = wall.store.camera(camera);
    if (info?.floor) drawPlan(canvas, info, wall.feeds.of(camera));
  }

  function tell(): void {
    const seen = standing(wall.feeds.of(camera));
    const label = `Floor plan of ${camera}: ${peopleText(seen.length)}`;
    if (camera && canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
    const rows = seen.map(({ id, floor }) => `person ${id} at ${figure(floor[0])}, ${figure(floor[1])} metres`);
    while (places.children.length > rows.length) places.lastElementChild!.remove();
    rows.forEach((text, index) => setText(places.children[index] ?? places.appendChild(el("li")), text));
  }

  choice.addEventListener("change", () => choose(choice.value));
  const resized = new ResizeObserver(() => {
    canvas.width = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
    canvas.height = Math.round(canvas.clientHeight * (window.devicePixelRatio || 1));
    draw();
  });
  resized.observe(canvas);
  const timer = setInterval(tell, 1000);
  const offCameras = wall.store.on("cameras", update);
  update();
  return {
    title: "Floor plan",
    node,
    end: () => {
      clearInterval(timer);
      resized.disconnect();
      offCameras();
      off?.();
    },
  };
}

function standing(feed: Feed): { id: number; floor: [number, number]; action: string | null }[] {
  return (feed.shown?.header.tracks ?? []).flatMap(({ id, state, floor, action }) =>
    floor && state === "confirmed" ? [{ id, floor, action }] : [],
  );
}

function drawPlan(canvas: HTMLCanvasElement, info: CameraInfo, feed: Feed): void {
  const context = canvas.getContext("2d");
  if (!context || !info.floor || canvas.width === 0) return;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.width / ratio, canvas.height / ratio];
  const colors = getComputedStyle(canvas);
  const [line, soft, ink] = ["--line", "--soft", "--ink"].map((name) => colors.getPropertyValue(name).trim()) as [
    string,
    string,
    string,
  ];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const place = planPlace(info.floor, width, height);
  drawGrid(context, place, info.floor, line, soft);
  for (const person of standing(feed)) drawPerson(context, place, person, feed, ink);
  drawBar(context, place, width, height, soft);
}

function drawGrid(
  context: CanvasRenderingContext2D,
  place: PlanPlace,
  floor: Bounds,
  line: string,
  soft: string,
): void {
  const [left, bottom, right, top] = place.bounds;
  const step = gridStep(place);
  context.strokeStyle = line;
  context.lineWidth = 1;
  context.beginPath();
  for (const x of gridLines(left, right, step)) {
    context.moveTo(...onPlan(place, [x, bottom]));
    context.lineTo(...onPlan(place, [x, top]));
  }
  for (const y of gridLines(bottom, top, step)) {
    context.moveTo(...onPlan(place, [left, y]));
    context.lineTo(...onPlan(place, [right, y]));
  }
  context.stroke();
  const [x, y] = onPlan(place, [floor[0], floor[3]]);
  context.strokeStyle = soft;
  context.setLineDash([6, 5]);
  context.strokeRect(x, y, (floor[2] - floor[0]) * place.scale, (floor[3] - floor[1]) * place.scale);
  context.setLineDash([]);
}

function drawPerson(
  context: CanvasRenderingContext2D,
  place: PlanPlace,
  person: { id: number; floor: [number, number]; action: string | null },
  feed: Feed,
  ink: string,
): void {
  const color = colorOf(person.id);
  const way = feed.traces.of(person.id).flatMap((step) => (step.floor ? [onPlan(place, step.floor)] : []));
  context.lineWidth = 3;
  context.lineCap = "round";
  way.slice(1).forEach((point, index) => {
    context.globalAlpha = 0.15 + (0.75 * index) / way.length;
    context.strokeStyle = color;
    context.beginPath();
    context.moveTo(...way[index]!);
    context.lineTo(...point);
    context.stroke();
  });
  context.globalAlpha = 1;
  const [x, y] = onPlan(place, person.floor);
  context.fillStyle = color;
  context.strokeStyle = INK;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, 11, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.fillStyle = INK;
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(person.id), x, y + 0.5);
  context.textAlign = "left";
  context.fillStyle = ink;
  if (person.action) context.fillText(person.action, x + 16, y);
}

function drawBar(
  context: CanvasRenderingContext2D,
  place: PlanPlace,
  width: number,
  height: number,
  color: string,
): void {
  const metres = scaleBar(place, width);
  const [x, y, length] = [16, height - 14, metres * place.scale];
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x, y);
  context.lineTo(x + length, y);
  context.lineTo(x + length, y - 5);
  context.stroke();
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  context.fillText(`${metres} m`, x + 6, y - 5);
}

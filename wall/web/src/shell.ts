// The frame around all views: the bar at the top, the line that says what is wrong, and the keys.

import { openCameras } from "./cameras/open.ts";
import { openDrawingEditor } from "./editing/open.ts";
import { sendJson } from "./http.ts";
import { type Route, address, go, readRoute } from "./routes.ts";
import { el, replace } from "./ui/dom.ts";
import { type IconName, icon } from "./ui/icons.ts";
import { type Theme, currentTheme, nextTheme } from "./ui/theme.ts";
import { floorView } from "./views/floor.ts";
import { gridView } from "./views/grid.ts";
import { openHelp } from "./views/help.ts";
import { largeView } from "./views/large.ts";
import { peopleView } from "./views/people.ts";
import { statusView } from "./views/status.ts";
import { timelineView } from "./views/timeline.ts";
import type { View, Wall } from "./wall.ts";

const VIEWS: readonly { route: Route; text: string; icon: IconName; key: string }[] = [
  { route: { view: "wall" }, text: "Wall", icon: "wall", key: "w" },
  { route: { view: "people" }, text: "People", icon: "people", key: "p" },
  { route: { view: "events", camera: "" }, text: "Events", icon: "events", key: "e" },
  { route: { view: "floor" }, text: "Floor plan", icon: "floor", key: "f" },
  { route: { view: "status" }, text: "Status", icon: "status", key: "i" },
];
const THEMES: Record<Theme, string> = { system: "as the system has it", dark: "dark", light: "light" };
const SLOW_MS = 1500;

export class Shell {
  private view: View | null = null;
  private readonly main = el("main", { id: "main", tabindex: -1 });
  private readonly banner = el("div", { class: "banner", role: "status" });
  private readonly links = VIEWS.map(({ route, text, icon: symbol, key }) =>
    el("a", { href: address(route), title: `${text} (${key})` }, icon(symbol), el("span", null, text)),
  );
  private readonly tools = el("div", { class: "tools" });
  private readonly theme = el("button", { class: "plain icon", onclick: () => this.switchTheme() }, icon("theme"));
  private readonly skeletons = el(
    "button",
    { class: "toggle", onclick: () => this.switchSkeletons() },
    icon("body"),
    el("span", null, "Skeletons only"),
  );
  private readonly stops: (() => void)[];
  private readonly openedAt = Date.now();

  constructor(
    private readonly wall: Wall,
    private readonly host: HTMLElement,
  ) {
    const bar = el(
      "header",
      { class: "bar" },
      el("a", { class: "brand", href: "#/" }, icon("body", 22), el("span", null, "posebus")),
      el("nav", { "aria-label": "Views" }, ...this.links),
      this.tools,
    );
    const skip = el(
      "a",
      { class: "skip", href: "#main", onclick: (event: Event) => this.skip(event) },
      "Skip to the content",
    );
    replace(host, skip, bar, this.banner, this.main, wall.toasts.node, wall.announcer.node);
    const { store } = wall;
    const onHash = (): void => this.open();
    const onKey = (event: KeyboardEvent): void => this.onKey(event);
    window.addEventListener("hashchange", onHash);
    document.addEventListener("keydown", onKey);
    const slow = setTimeout(() => this.showBanner(), SLOW_MS);
    this.stops = [
      () => window.removeEventListener("hashchange", onHash),
      () => document.removeEventListener("keydown", onKey),
      () => clearTimeout(slow),
      store.on("person", () => this.showTools()),
      store.on("pictures", () => this.showTools()),
      store.on("connection", () => this.showBanner()),
      store.on("broker", () => this.showBanner()),
    ];
    this.showTools();
    this.open();
  }

  end(): void {
    for (const stop of this.stops) stop();
    this.view?.end();
    replace(this.host);
  }

  private open(): void {
    const route = readRoute(location.hash);
    this.view?.end();
    this.view = this.viewOf(route);
    replace(this.main, this.view.node);
    this.main.scrollTop = 0;
    document.title = `${this.view.title} · posebus`;
    VIEWS.forEach((known, index) => {
      const current =
        known.route.view === route.view ||
        (known.route.view === "wall" && (route.view === "camera" || route.view === "draw"));
      if (current) this.links[index]!.setAttribute("aria-current", "page");
      else this.links[index]!.removeAttribute("aria-current");
    });
    // Screen readers and the keyboard go on in the new view; the very first one is left as the browser opens it.
    if (Date.now() - this.openedAt > 500) this.main.focus({ preventScroll: true });
  }

  private viewOf(route: Route): View {
    const { wall } = this;
    switch (route.view) {
      case "camera":
        return largeView(wall, route.camera);
      case "people":
        return peopleView(wall);
      case "events":
        return timelineView(wall, route.camera);
      case "floor":
        return floorView(wall);
      case "status":
        return statusView(wall);
      case "cameras":
        return hosted(wall, "Cameras", openCameras);
      case "draw":
        return hosted(wall, `Draw on ${route.camera}`, (host) =>
          openDrawingEditor(host, route.camera, () => go({ view: "camera", camera: route.camera })),
        );
      default:
        return gridView(wall);
    }
  }

  private showTools(): void {
    const { store } = this.wall;
    const theme = currentTheme();
    const themeText = `Colours: ${THEMES[theme]} (t)`;
    this.theme.setAttribute("aria-label", themeText);
    this.theme.title = themeText;
    this.skeletons.setAttribute("aria-pressed", String(!store.pictures));
    this.skeletons.disabled = !store.may("pictures");
    this.skeletons.title = store.may("pictures")
      ? "Show skeletons without pictures (s)"
      : "Your role does not show pictures.";
    const logged = store.person !== null && store.person.name !== "local";
    replace(
      this.tools,
      this.skeletons,
      store.may("change") &&
        el(
          "a",
          { class: "button", href: address({ view: "cameras" }), title: "Add, change and remove cameras" },
          icon("camera"),
          el("span", null, "Cameras"),
        ),
      store.may("send") &&
        el(
          "a",
          { class: "button plain", href: "/camera", title: "Make this device a camera" },
          icon("send"),
          el("span", { class: "wide-only" }, "Be a camera"),
        ),
      this.theme,
      el(
        "button",
        { class: "plain icon", "aria-label": "Help", title: "Help (?)", onclick: () => openHelp(store.version) },
        icon("help"),
      ),
      logged &&
        el(
          "button",
          {
            class: "plain icon",
            "aria-label": `Log out ${store.person!.name}`,
            title: `Log out ${store.person!.name}`,
            onclick: () => void logOut(),
          },
          icon("leave"),
        ),
    );
  }

  private showBanner(): void {
    const { connection, broker } = this.wall.store;
    let text = "";
    if (connection === "lost") text = "Connection lost, trying again …";
    else if (connection === "connecting" && Date.now() - this.openedAt >= SLOW_MS) text = "Connecting …";
    else if (!broker.there) text = broker.sentence ?? "The broker does not answer; trying again …";
    this.banner.textContent = text;
    this.banner.classList.toggle("shown", text !== "");
    this.main.classList.toggle("stale", text !== "" && connection === "lost");
  }

  private switchSkeletons(): void {
    const { store } = this.wall;
    if (store.may("pictures")) store.showPictures(!store.pictures);
  }

  private switchTheme(): void {
    const theme = nextTheme();
    this.showTools();
    this.wall.announcer.say(`Colours: ${THEMES[theme]}`);
    this.theme.focus();
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.main.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (this.view?.ownsKeys || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || target.closest?.("input, select, textarea, [contenteditable]"))
      return;
    if (this.view?.key?.(event) || this.ownKey(event.key)) event.preventDefault();
  }

  private ownKey(key: string): boolean {
    const view = VIEWS.find((known) => known.key === key);
    if (view) go(view.route);
    else if (key === "?") openHelp(this.wall.store.version);
    else if (key === "s") this.switchSkeletons();
    else if (key === "t") this.switchTheme();
    else if (key === "Escape") go({ view: "wall" });
    else return false;
    return true;
  }
}

/** A view that another part fills. */
function hosted(wall: Wall, title: string, open: (host: HTMLElement) => () => void): View {
  wall.wishes.clear(1);
  const host = el("div");
  const node = el("div", { class: "page stack" }, host);
  const end = open(host);
  return { title, node, end, ownsKeys: true };
}

async function logOut(): Promise<void> {
  try {
    await sendJson("POST", "/api/logout");
  } finally {
    location.reload();
  }
}

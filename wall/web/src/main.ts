// Opens the wall: who is here, then the connection, then the views.

import { Connection, socketAddress } from "./connection.ts";
import { getJson, HttpProblem, LOGIN_NEEDED } from "./http.ts";
import { Feeds } from "./live/feeds.ts";
import { eventWords, gravity, isNotable, kindOf, ruleOf } from "./live/event_words.ts";
import { checkEvent, checkPerson, readText } from "./live/messages.ts";
import { Store } from "./live/store.ts";
import { Wishes } from "./live/wishes.ts";
import type { CameraInfo, FromServer, WallEvent } from "./protocol.ts";
import { readRoute } from "./routes.ts";
import { Shell } from "./shell.ts";
import { Announcer } from "./ui/announce.ts";
import { applyTheme, currentTheme } from "./ui/theme.ts";
import { Toasts } from "./ui/toasts.ts";
import { showLogin } from "./views/login.ts";
import { openMoment } from "./views/moment.ts";
import type { Wall } from "./wall.ts";

applyTheme(currentTheme());
const app = document.querySelector<HTMLElement>("#app")!;
let end: (() => void) | null = null;
window.addEventListener(LOGIN_NEEDED, () => logIn());
void begin();

async function begin(): Promise<void> {
  try {
    openWall(checkPerson(await getJson("/api/me")));
  } catch (problem) {
    // 401 has shown the login by its event. Anything else: the connection tries on and says who is here.
    if (!(problem instanceof HttpProblem && problem.status === 401)) openWall(null);
  }
}

function logIn(): void {
  end?.();
  end = null;
  if (document.querySelector("form.login") === null) showLogin(app, () => void begin());
}

function openWall(person: Store["person"]): void {
  end?.();
  const store = new Store();
  store.person = person;
  const feeds = new Feeds({ send: (message) => connection.send(message), onProblem: report });
  const connection = new Connection({
    open: () => new WebSocket(socketAddress(location.href)),
    onText: (text) => {
      try {
        const message = readText(text);
        if (message !== null) take(wall, message);
      } catch (problem) {
        report(problem);
      }
    },
    onBinary: (message) => void feeds.arrive(message),
    onState: (state) => {
      const again = store.connection !== "connecting";
      store.connection = state;
      store.tell("connection");
      if (state === "open" && again) wall.announcer.say("Connected again");
      if (state !== "open") void stillLoggedIn();
    },
  });
  const send = connection.send.bind(connection);
  const wishes = new Wishes({
    send,
    pictures: () => store.pictures,
    exists: (camera) => store.camera(camera) !== null,
  });
  const wall: Wall = { store, feeds, wishes, send, toasts: new Toasts(), announcer: new Announcer() };
  store.on("pictures", () => wishes.soon());
  store.on("person", () => wishes.soon());
  store.on("cameras", () => wishes.soon());
  const shell = new Shell(wall, app);
  const online = (): void => connection.tryNow();
  const visible = (): void => (document.hidden ? undefined : connection.tryNow());
  window.addEventListener("online", online);
  document.addEventListener("visibilitychange", visible);
  end = () => {
    window.removeEventListener("online", online);
    document.removeEventListener("visibilitychange", visible);
    connection.close();
    shell.end();
  };
}

function take(wall: Wall, message: FromServer): void {
  const { store } = wall;
  switch (message.type) {
    case "hello":
      store.person = message.person;
      store.version = message.version;
      store.privacy = message.privacy;
      store.tell("person");
      break;
    case "cameras":
      store.setCameras(message.cameras, Date.now());
      wall.feeds.keepOnly(message.cameras.map((camera) => camera.name));
      for (const camera of message.cameras) void askSince(store, camera);
      break;
    case "deployment":
      store.deployment = message.deployment;
      store.tell("deployment");
      break;
    case "event":
      store.addEvent(message.event);
      if (isNotable(message.event)) note(wall, message.event);
      break;
    case "broker":
      store.broker = { there: message.there, sentence: message.sentence };
      store.tell("broker");
      break;
    case "problem":
      wall.toasts.add({
        key: message.sentence,
        where: "Wall",
        words: message.sentence,
        kind: "bad",
        open: () => undefined,
      });
      wall.announcer.say(message.sentence);
  }
}

function note(wall: Wall, event: WallEvent): void {
  const camera = event.data.camera;
  const words = eventWords(event);
  wall.announcer.say(`${camera}: ${words}`);
  // The large view and the list of events say it themselves; nobody who draws wants to be disturbed.
  const route = readRoute(location.hash);
  if (["events", "draw", "cameras"].includes(route.view) || (route.view === "camera" && route.camera === camera))
    return;
  wall.toasts.add({
    key: JSON.stringify([camera, kindOf(event), ruleOf(event)]),
    where: camera,
    words,
    kind: gravity(event),
    open: () => openMoment(wall, event),
  });
}

const asked = new Set<string>();

/** Looks once for the event that says since when a camera is offline: it was before the page was opened. */
async function askSince(store: Store, camera: CameraInfo): Promise<void> {
  if (camera.state === "online") asked.delete(camera.name);
  if (camera.state !== "offline" || asked.has(camera.name) || store.offlineSince.has(camera.name)) return;
  asked.add(camera.name);
  try {
    const page = await getJson<{ events?: unknown }>(
      `/api/events?${new URLSearchParams({ camera: camera.name, count: "50" })}`,
    );
    const events = Array.isArray(page.events) ? page.events.map(checkEvent) : [];
    const found = events.find((event) => event.type === "posebus.camera.offline");
    if (found && store.camera(camera.name)?.state === "offline") store.noteOffline(camera.name, Date.parse(found.time));
    store.tell("cameras");
  } catch {
    // The tile says why it is offline all the same.
  }
}

/** A refused handshake looks like a lost connection; the answer of /api/me tells the difference and shows the login. */
async function stillLoggedIn(): Promise<void> {
  try {
    await getJson("/api/me");
  } catch {
    // 401 shows the login by its event; without an answer the connection tries on.
  }
}

function report(problem: unknown): void {
  console.warn("posebus: a message was left out:", problem instanceof Error ? problem.message : problem);
}

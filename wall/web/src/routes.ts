// The addresses of the views, kept behind the # so that "back" and bookmarks work without the server.

export type Route =
  | { view: "wall" }
  | { view: "camera"; camera: string }
  | { view: "draw"; camera: string }
  | { view: "people" }
  | { view: "events"; camera: string }
  | { view: "floor" }
  | { view: "status" }
  | { view: "cameras" };

const PLAIN = ["people", "floor", "status", "cameras"] as const;

/** Returns the route of a location's hash; the wall for anything unknown. */
export function readRoute(hash: string): Route {
  const [view = "", ...rest] = hash.replace(/^#\/?/, "").split("/");
  const camera = decode(rest.join("/"));
  if ((view === "camera" || view === "draw") && camera) return { view, camera };
  if (view === "events") return { view, camera };
  const plain = PLAIN.find((name) => name === view);
  return plain ? { view: plain } : { view: "wall" };
}

/** Returns the address of a route. */
export function address(route: Route): string {
  if (route.view === "wall") return "#/";
  const camera = "camera" in route && route.camera !== "" ? `/${encodeURIComponent(route.camera)}` : "";
  return `#/${route.view}${camera}`;
}

export function go(route: Route): void {
  location.hash = address(route);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

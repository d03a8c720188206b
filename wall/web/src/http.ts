// Requests to the wall's own addresses. Whatever goes wrong is one HttpProblem with a sentence for the reader.

/** Why a request failed. `status` is 0 if nothing answered. `path` names the wrong field, where the answer has one. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly sentence: string;
  readonly path: string | null;

  constructor(status: number, sentence: string, path: string | null = null) {
    super(sentence);
    this.name = "HttpProblem";
    this.status = status;
    this.sentence = sentence;
    this.path = path;
  }
}

/** The window gets this event when a request is refused because the login has ended. */
export const LOGIN_NEEDED = "posebus-login-needed";

/** Returns the JSON at `path`. Throws HttpProblem. */
export async function getJson<T = unknown>(path: string): Promise<T> {
  return (await readJson(await request("GET", path))) as T;
}

/** Sends `body` as JSON and returns the JSON of the answer, null if it has none. Throws HttpProblem. */
export async function sendJson<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await request(method, path, body);
  return (answer.status === 204 ? null : await readJson(answer)) as T;
}

/** Sends a request and returns the answer, whatever it holds, if it is a success. Throws HttpProblem, also when `signal` ends it. */
export async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { method, headers: { Accept: "application/json, image/jpeg" }, cache: "no-store" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  if (signal !== undefined) init.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new HttpProblem(0, "The wall does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (problem.status === 401 && path !== "/api/login") window.dispatchEvent(new Event(LOGIN_NEEDED));
  throw problem;
}

async function problemOf(answer: Response): Promise<HttpProblem> {
  let sentence = `The wall answered with the error ${answer.status}.`;
  let path: string | null = null;
  try {
    const said = (await answer.json()) as { sentence?: unknown; path?: unknown };
    if (typeof said.sentence === "string" && said.sentence) sentence = said.sentence;
    if (typeof said.path === "string") path = said.path;
  } catch {
    // A proxy's page is no JSON; the status says enough.
  }
  return new HttpProblem(answer.status, sentence, path);
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    throw new HttpProblem(answer.status, "The wall's answer cannot be read.");
  }
}

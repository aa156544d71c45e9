// What the desk asks the portal: JSON there and back, refusals as Failure.
import { meta, refreshToken } from "../page.js";

const ANSWER_WITHIN = 120000;

/** Why a step failed. kind: network | server | refused | gone | full | signed-out | stopped */
export class Failure extends Error {
  constructor(kind, text = "", data = {}) {
    super(text || kind);
    Object.assign(this, { kind, text, data });
  }

  /** Whether the same step may succeed by itself later. */
  get passing() {
    return ["network", "server", "again"].includes(this.kind);
  }
}

/** The kind of failure that an HTTP status stands for. */
export function kindOf(status) {
  if (status === 401) return "signed-out";
  if (status === 404 || status === 410) return "gone";
  if (status === 507) return "full";
  if (status === 408 || status === 429 || status >= 500) return "server";
  return "refused";
}

/** {error, mend} in one sentence. */
export function textOf({ error = "", mend = "" }) {
  return [error, mend].filter(Boolean).join(" ");
}

/** Headers of every request to the portal itself. */
export function headers() {
  return { Accept: "application/json", "X-CSRFToken": meta("csrf-token") };
}

/** Ask the portal; gives the answer's JSON (null without one). A stale token is renewed once. */
export async function ask(method, url, payload = null, again = true) {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), ANSWER_WITHIN);
  let answer;
  let body = null;
  try {
    answer = await fetch(url, {
      method,
      credentials: "same-origin",
      headers: payload ? { ...headers(), "Content-Type": "application/json" } : headers(),
      body: payload && JSON.stringify(payload),
      signal: timer.signal,
    });
    if ((answer.headers.get("Content-Type") ?? "").includes("json")) body = await answer.json();
  } catch {
    throw new Failure("network");
  } finally {
    clearTimeout(timeout);
  }
  if (answer.status === 400 && again && (await refreshToken().catch(() => false))) {
    return ask(method, url, payload, false);
  }
  if (!answer.ok) throw new Failure(kindOf(answer.status), body ? textOf(body) : "");
  // A page instead of JSON is the sign-in page that the request was sent on to.
  if (payload && body === null) throw new Failure("signed-out");
  return body;
}

/** POST JSON and get JSON. */
export const post = (url, payload) => ask("POST", url, payload);

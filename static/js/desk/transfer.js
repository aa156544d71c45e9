// One file on its way: start -> put -> complete, each step repeatable, progress by XHR.
import { meta, refreshToken } from "../page.js";

const PAUSES = [1000, 3000, 8000];
const STALLED_AFTER = 60000;
const ANSWER_WITHIN = 120000;

/** Why a step failed. kind: network | server | refused | gone | signed-out | stopped | changed */
export class Failure extends Error {
  constructor(kind, text = "") {
    super(text || kind);
    this.kind = kind;
    this.text = text;
  }

  /** Whether the same step may succeed by itself later. */
  get passing() {
    return this.kind === "network" || this.kind === "server";
  }
}

function kindOf(status) {
  if (status === 401) return "signed-out";
  if (status === 404 || status === 410) return "gone";
  if (status === 408 || status === 429 || status >= 500) return "server";
  return "refused";
}

function textOf(body) {
  try {
    const { error = "", mend = "" } = typeof body === "string" ? JSON.parse(body) : body;
    return [error, mend].filter(Boolean).join(" ");
  } catch {
    return "";
  }
}

/** POST JSON and get JSON; raises Failure. A stale CSRF token is renewed once. */
export async function post(url, payload, signal = undefined, again = true) {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), ANSWER_WITHIN);
  const stop = () => timer.abort();
  signal?.addEventListener("abort", stop);
  let answer;
  let body = null;
  try {
    answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRFToken": meta("csrf-token"),
      },
      body: JSON.stringify(payload),
      signal: timer.signal,
    });
    if ((answer.headers.get("Content-Type") ?? "").includes("json")) body = await answer.json();
  } catch {
    throw new Failure(signal?.aborted ? "stopped" : "network");
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener("abort", stop);
  }
  if (answer.status === 400 && again && (await refreshToken().catch(() => false))) {
    return post(url, payload, signal, false);
  }
  if (!answer.ok) throw new Failure(kindOf(answer.status), body ? textOf(body) : "");
  // A page instead of JSON is the sign-in page that the request was sent on to.
  if (body === null) throw new Failure("signed-out");
  return body;
}

/** PUT the file; `onProgress(bytes)`. A connection without progress for a minute counts as lost. */
function put(url, headers, file, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let watch;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => xhr.abort(), STALLED_AFTER);
    };
    const stop = () => xhr.abort();
    const end = (settle) => {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
      settle();
    };
    xhr.open("PUT", url);
    if (new URL(url, window.location.href).origin === window.location.origin) {
      xhr.setRequestHeader("X-CSRFToken", meta("csrf-token"));
    }
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      alive();
      onProgress(event.loaded);
    };
    xhr.onload = () =>
      end(() => {
        if (xhr.status >= 200 && xhr.status < 300) resolve();
        else reject(new Failure(kindOf(xhr.status), textOf(xhr.responseText)));
      });
    xhr.onerror = () => end(() => reject(new Failure("network")));
    xhr.onabort = () => end(() => reject(new Failure(signal.aborted ? "stopped" : "network")));
    signal.addEventListener("abort", stop);
    alive();
    xhr.send(file);
  });
}

const online = () =>
  navigator.onLine === false
    ? new Promise((resolve) => window.addEventListener("online", resolve, { once: true }))
    : Promise.resolve();

const pause = (time, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Whether the file can still be read (it may have been moved, renamed or saved over). */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The upload of one row. `ticket` outlives a failure, so that a retry goes on where it stopped. */
export class Transfer {
  constructor({ startUrl, file, path, itemId, onProgress, onWaiting }) {
    Object.assign(this, { startUrl, file, path, itemId, onProgress, onWaiting });
    this.ticket = null;
    this.sent = false;
    this.stopper = new AbortController();
  }

  stop() {
    this.stopper.abort();
  }

  /** Run to the end, repeating what may pass; resolves with the answer of `complete`. */
  async run() {
    this.stopper = new AbortController();
    const { signal } = this.stopper;
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.attempt(signal);
      } catch (failure) {
        const reason = failure instanceof Failure ? failure : new Failure("network");
        if (!reason.passing || signal.aborted) throw reason;
        if (!(await readable(this.file))) throw new Failure("changed");
        if (tries >= PAUSES.length) throw reason;
        this.onWaiting();
        await pause(PAUSES[tries], signal);
        await Promise.race([online(), pause(STALLED_AFTER, signal)]);
        if (signal.aborted) throw new Failure("stopped");
      }
    }
  }

  async attempt(signal, fresh = false) {
    try {
      await this.start(signal);
      if (!this.sent) {
        const { put_url: url, headers } = this.ticket;
        const type = { "Content-Type": this.file.type || "application/octet-stream" };
        await put(url, headers ?? type, this.file, signal, this.onProgress);
        this.sent = true;
      }
      const { complete_url: url, upload_id: id } = this.ticket;
      return await post(url, { upload_id: id }, signal);
    } catch (failure) {
      if (failure.kind !== "gone" || fresh || !this.ticket) throw failure;
      // The server no longer knows this upload (or its address ran out): begin anew, once.
      this.ticket = null;
      this.sent = false;
      return this.attempt(signal, true);
    }
  }

  async start(signal) {
    if (this.ticket) return;
    const { name, size, type, lastModified } = this.file;
    this.ticket = await post(
      this.startUrl,
      { name, path: this.path, size, type, item_id: this.itemId, last_modified: lastModified },
      signal,
    );
  }
}

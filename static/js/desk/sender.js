// Sends rows by S3's multipart upload (Uppy): parts under signed addresses, to the store or to the
// portal's disk, the browser does not know which. A file of one part needs no list of parts.
import Uppy from "@uppy/core";
import AwsS3 from "@uppy/aws-s3";
import { Failure, headers, kindOf, textOf } from "./api.js";
import { Completer, Tickets } from "./tickets.js";

const AT_ONCE = 4; // of the six connections that browsers allow; two are for the page itself
const AHEAD = 24; // files that Uppy holds at a time: each thing it tells costs it a look at all
const PAUSES = [1000, 3000, 8000, 20000, 60000];
const STALLED_AFTER = 60000;
const MOST_FRESH_STARTS = 3;

const quiet = { debug() {}, warn() {}, error() {} };

/** Whether the file can still be read (it may have been moved, renamed or saved over). */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function textIn(body) {
  try {
    return textOf(JSON.parse(body));
  } catch {
    return "";
  }
}

/** What went wrong, whatever Uppy calls it. */
function failureOf(error) {
  if (error instanceof Failure) return error;
  if (error?.status) return new Failure(kindOf(error.status), textIn(error.body), error);
  return new Failure("network");
}

export class Sender {
  /** `tell` = {state(row, state, text), progress(row, bytes), done(row, answer), failed(row, failure)} */
  constructor({ startUrl, partSize, tell }) {
    this.tell = tell;
    this.partSize = partSize;
    this.tickets = new Tickets(startUrl);
    this.completer = new Completer(startUrl);
    this.rows = new Map();
    this.line = [];
    this.moving = new Set();
    this.resting = new Set();
    this.open = Promise.resolve();
    this.uppy = new Uppy({ autoProceed: false, logger: quiet });
    this.uppy.use(AwsS3, {
      limit: AT_ONCE,
      shouldUseMultipart: ({ size }) => size > partSize,
      getChunkSize: ({ size }) => this.chunkSize(size),
      generateObjectKey: ({ id }) => id,
      signRequest: (request) => this.sign(request),
    });
    this.uppy.addPreProcessor((ids) => this.prepare(ids));
    this.uppy.on("upload-progress", (file, { bytesUploaded }) => this.progress(file, bytesUploaded));
    this.uppy.on("upload-success", (file) => this.sent(file));
    this.uppy.on("upload-error", (file, error) => this.broken(file, error));
    setInterval(() => this.watch(), 5000);
  }

  // --- what the desk asks for -----------------------------------------------------------------

  /** Send these rows; those that were sent in part go on where they broke off. */
  send(rows) {
    this.tickets.announce(rows);
    for (const row of rows) {
      row.tries = 0;
      row.freshStarts = 0;
    }
    this.put(rows);
  }

  put(rows) {
    for (const row of rows) {
      this.drop(row);
      this.tell.state(row, "queued");
    }
    // What is tried again goes before what was not tried yet.
    if (rows[0]?.tries || rows[0]?.freshStarts) this.line.unshift(...rows);
    else this.line.push(...rows);
    this.feed();
  }

  /** Give Uppy the next rows. */
  feed() {
    if (this.moving.size > AHEAD / 2) return;
    const next = this.line.splice(0, AHEAD - this.moving.size);
    for (const row of next) {
      // Names of files may hold telephone numbers: Uppy gets the row's own key.
      row.uppyId = this.uppy.addFile({ name: row.key, data: row.file, source: "desk" });
      this.rows.set(row.uppyId, row);
      this.moving.add(row);
    }
    if (next.length) this.uppy.upload().catch(() => {}); // each file tells for itself
  }

  /** Take a row off, wherever it is; what the portal holds of it is removed. */
  remove(row) {
    clearTimeout(row.timer);
    this.resting.delete(row);
    this.drop(row);
    this.feed();
    if (row.state !== "done") this.tickets.cancel(row);
  }

  drop(row) {
    const id = row.uppyId;
    row.uppyId = null;
    this.rows.delete(id);
    this.moving.delete(row);
    if (this.line.includes(row)) this.line = this.line.filter((one) => one !== row);
    if (id && this.uppy.getFile(id)) this.uppy.removeFile(id);
  }

  pause() {
    if (this.paused) return;
    this.paused = true;
    this.open = new Promise((resolve) => {
      this.release = resolve;
    });
    this.uppy.pauseAll();
  }

  resume() {
    if (!this.paused) return;
    this.paused = false;
    this.release();
    this.uppy.resumeAll();
  }

  // --- what Uppy asks for ---------------------------------------------------------------------

  chunkSize(size) {
    for (const row of this.rows.values()) {
      if (row.file.size === size && row.ticket) return row.ticket.part_size;
    }
    return this.partSize;
  }

  /** Files of several parts meet their upload before they go: it may be half here already. */
  async prepare(ids) {
    const rows = ids.map((id) => this.rows.get(id)).filter(Boolean);
    const long = rows.filter((row) => row.file.size > this.partSize);
    await this.tickets.ofAll(long);
    for (const row of long) {
      if (!row.ticket || !this.uppy.getFile(row.uppyId)) continue;
      const { upload_id: uploadId } = row.ticket;
      this.uppy.setFileState(row.uppyId, { s3Multipart: { uploadId, key: row.uppyId } });
    }
  }

  async sign({ method, key, partNumber }) {
    const row = this.rows.get(key);
    if (!row) {
      // Taken off: Uppy gives its upload up, as the desk has done already.
      throw new Failure("stopped");
    }
    if (method === "PUT") {
      await this.open;
      const url = await this.tickets.address(row, partNumber ?? 1);
      row.movedAt = performance.now();
      if (row.state !== "sending") this.tell.state(row, "sending");
      return { url: new URL(url, window.location.href).href };
    }
    const { url } = await this.tickets.of(row);
    return { url: new URL(url, window.location.href).href, headers: headers() };
  }

  progress(file, bytes) {
    const row = this.rows.get(file?.id);
    if (!row) return;
    row.movedAt = performance.now();
    // A part that a pause did not stop goes on as well.
    const moves = row.state === "waiting" || (row.state === "queued" && bytes > 0);
    if (moves) this.tell.state(row, "sending");
    this.tell.progress(row, bytes);
  }

  async sent(file) {
    const row = this.rows.get(file?.id);
    if (!row) return;
    this.tell.state(row, "ending");
    this.moving.delete(row);
    this.feed();
    try {
      const answer = await this.completer.complete(row.ticket.upload_id, this.moving.size > 0);
      this.drop(row);
      row.ticket = null;
      this.tell.done(row, answer);
    } catch (error) {
      this.broken(file, error);
    }
  }

  async broken(file, error) {
    const row = this.rows.get(file?.id);
    if (!row) return;
    if (error instanceof Failure && error.kind === "whole") {
      this.sent(file);
      return;
    }
    // Uppy forgets what failed (its upload stays open), so that its next run takes new files only.
    this.drop(row);
    this.feed();
    const failure = failureOf(error);
    const { status } = failure.data ?? {};
    if (status === 403 && row.ticket) row.ticket.addresses = {}; // run out: sign anew
    if (failure.kind === "gone" || failure.kind === "again") this.forget(row, failure);
    const anew = status === 403 || failure.kind === "gone" || failure.kind === "again";
    if (anew && row.freshStarts < MOST_FRESH_STARTS) {
      row.freshStarts += 1;
      this.later(row, 100);
      return;
    }
    if (!failure.passing || row.tries >= PAUSES.length) {
      this.tell.failed(row, failure);
      return;
    }
    if (!(await readable(row.file))) {
      this.tell.failed(row, new Failure("changed"));
      return;
    }
    this.tell.state(row, "waiting");
    this.later(row, PAUSES[row.tries]);
    row.tries += 1;
  }

  /** The portal does not know the upload as we do: ask again how far it is. */
  forget(row, failure) {
    if (failure.data?.status === 404) return;
    row.ticket = null;
    this.tickets.announce([row]);
  }

  later(row, time) {
    clearTimeout(row.timer);
    row.timer = setTimeout(() => {
      this.resting.delete(row);
      this.put([row]);
    }, time);
    this.resting.add(row);
  }

  /** What waits for its next try goes at once: the connection is back. */
  again() {
    for (const row of [...this.resting]) {
      row.tries = 0;
      this.later(row, 0);
    }
  }

  /** A connection without progress for a minute counts as lost: it is opened anew. */
  watch() {
    if (this.paused || navigator.onLine === false) return;
    for (const row of this.rows.values()) {
      if (row.state !== "sending" || !row.movedAt) continue;
      if (performance.now() - row.movedAt < STALLED_AFTER) continue;
      row.movedAt = performance.now();
      this.tell.state(row, "waiting");
      this.uppy.pauseResume(row.uppyId);
      this.uppy.pauseResume(row.uppyId);
    }
  }
}

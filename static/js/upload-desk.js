// The vendor's upload desk (templates/components/upload_desk.html): choose files or drop a
// folder, see where each would land, send, retry what failed. The server decides everything;
// the contract of its three addresses stands with the macro.
import { meta, refreshToken } from "./page.js";
import { fromDrop, fromInput, identity, refusal } from "./desk/collect.js";
import { Hints, readLists } from "./desk/lists.js";
import { Painter } from "./desk/painter.js";
import { Row, fill } from "./desk/rows.js";
import { Failure, post } from "./desk/api.js";
import { Sender } from "./desk/sender.js";
import { Sums, kept, sort } from "./desk/sums.js";
import { Unfinished } from "./desk/unfinished.js";

const NAMES_A_REQUEST = 500;
// How often the page's list of items is read anew while files arrive: reading it takes time that
// the files need, so the more there are, the seldomer.
const REFRESH_EVERY = 2000;
const REFRESH_EACH = 20;

class Desk {
  constructor(box) {
    this.box = box;
    this.strings = JSON.parse(box.querySelector("[data-strings]").textContent);
    this.template = box.querySelector("template");
    this.icons = box.dataset.icons;
    this.limits = {
      extensions: box.dataset.extensions.split(" ").filter(Boolean),
      maxBytes: Number(box.dataset.maxBytes),
    };
    this.rows = new Map();
    this.choices = [];
    this.hints = new Hints();
    this.names = new Map();
    this.lastKey = 0;
    this.parts = {};
    for (const name of [
      "zone", "work", "body", "counts", "total", "total-text", "live", "notice", "notice-text",
      "notice-link", "notice-again", "send", "retry-all", "accept-all", "clear-rest", "clear-done", "pause",
      "resume", "cancel-all", "next",
    ]) {
      this.parts[name] = box.querySelector(`[data-desk-${name}]`);
    }
    this.sums = new Sums(this);
    this.unfinished = new Unfinished(box.querySelector("[data-desk-unfinished]"), this.strings.unfinished);
    this.painter = new Painter((rows) => this.paint(rows));
    this.sender = new Sender({
      startUrl: box.dataset.startUrl,
      partSize: Number(box.dataset.partSize),
      tell: {
        state: (row, state) => this.state(row, state),
        progress: (row, bytes) => this.progress(row, bytes),
        done: (row, answer) => this.done(row, answer),
        failed: (row, failure) => this.failed(row, failure),
      },
    });
    this.listen();
    box.dataset.ready = "true";
  }

  listen() {
    const { parts, box } = this;
    for (const input of box.querySelectorAll("input[type=file]")) {
      // Not in the markup: no standard names this attribute, though every browser knows it.
      if (input.hasAttribute("data-folder")) input.webkitdirectory = true;
      input.addEventListener("change", () => {
        const found = fromInput(input);
        input.value = "";
        this.add(found);
      });
    }
    this.listenToDrops();
    parts.send.addEventListener("click", () => this.send());
    parts["retry-all"].addEventListener("click", () => this.retry(this.of("failed")));
    parts["accept-all"].addEventListener("click", () => {
      for (const row of this.list().filter((one) => one.proposed)) row.accept();
    });
    parts["clear-rest"].addEventListener("click", () => this.clear((row) => !kept(row)));
    parts["clear-done"].addEventListener("click", () => this.clear((row) => row.state === "done"));
    parts.counts.addEventListener("click", (event) => {
      const state = event.target.closest("[data-only]")?.dataset.only;
      if (state) this.only(this.sums.shown === state ? "" : state);
    });
    parts["notice-again"].addEventListener("click", () => this.again());
    parts.pause.addEventListener("click", () => this.pause());
    parts.resume.addEventListener("click", () => this.resume());
    parts["cancel-all"].addEventListener("click", () => this.clear((row) => row.busy));
    window.addEventListener("online", () => this.online());
    window.addEventListener("offline", () => this.offline());
    window.addEventListener("beforeunload", (event) => {
      if (this.list().some((row) => row.busy)) event.preventDefault();
    });
  }

  listenToDrops() {
    const { zone } = this.parts;
    const over = (on) => (event) => {
      event.preventDefault();
      zone.classList.toggle("is-over", on);
    };
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      fromDrop(event.dataTransfer).then(
        (found) => this.add(found),
        () => this.say(this.strings.unreadable),
      );
    });
    // A file dropped beside the zone must not replace the page with the file.
    for (const name of ["dragover", "drop"]) {
      document.addEventListener(name, (event) => event.preventDefault());
    }
  }

  list() {
    return [...this.rows.values()];
  }

  of(...states) {
    return this.list().filter((row) => states.includes(row.state));
  }

  /** Leave only the rows of one state on the list, or all (""). A row that changes then stays. */
  only(state) {
    this.sums.shown = state;
    for (const row of this.rows.values()) {
      const out = Boolean(state) && sort(row) !== state;
      if (out !== row.out) this.painter.touch(row);
      row.out = out;
    }
    this.painter.soon(true);
  }

  // --- choosing -----------------------------------------------------------------------------

  async add(found) {
    if (this.sums.shown) this.only("");
    // What failed or was refused may be chosen again, mended or moved back.
    const again = new Set(found.map((one) => one.path));
    this.clear((row) => ["failed", "refused"].includes(row.state) && again.has(row.path));
    const known = new Set(this.list().map(identity));
    const unknown = found.filter((one) => !known.has(identity(one)));
    const fresh = await this.takeLists(unknown);
    const rows = fresh.map((one) => this.insert(one));
    this.parts.work.hidden = this.rows.size === 0;
    const skipped = found.length - unknown.length;
    this.say(fill(skipped ? this.strings.added_skipped : this.strings.added, {
      n: rows.length,
      m: skipped,
    }));
    await this.match(rows.filter((row) => row.state === "matching"));
  }

  /** Read the lists among the files (which file is of which case or call); gives the others. */
  async takeLists(found) {
    const read = await readLists(found, this.box.dataset.manifestUrl);
    this.hints.add(read.entries);
    if (read.entries.length) {
      this.say(fill(this.strings.list_read, { n: read.entries.length }));
      const again = this.of("unmatched", "unexpected").filter((row) => this.hintOf(row));
      for (const row of again) row.to("matching");
      await this.match(again);
    }
    return read.rest;
  }

  hintOf(row) {
    return this.hints.of(row.path, this.names.get(row.file.name.toLowerCase()) < 2);
  }

  /** Note how many files of a name are on the desk. */
  count({ file }, by) {
    const name = file.name.toLowerCase();
    this.names.set(name, (this.names.get(name) ?? 0) + by);
  }

  insert(one) {
    this.lastKey += 1;
    const row = new Row(`f${this.lastKey}`, one, this);
    this.rows.set(row.key, row);
    this.count(row, 1);
    const reason = refusal(one.file, this.limits);
    if (reason) row.to("refused", this.strings[reason]);
    else this.painter.touch(row);
    return row;
  }

  /** Ask the server where files belong; it sees the waiting ones too, to find duplicates. */
  async match(rows) {
    this.painter.soon();
    for (let at = 0; at < rows.length; at += NAMES_A_REQUEST) {
      const part = rows.slice(at, at + NAMES_A_REQUEST);
      const waiting = this.list().filter((row) => row.ready || row.busy);
      try {
        const answer = await post(this.box.dataset.matchUrl, {
          files: part.map((row) => this.describe(row)),
          listed: waiting.map((row) => this.describe(row)),
        });
        this.choices = answer.choices ?? this.choices;
        this.takeAnswers(part, answer.files);
      } catch (failure) {
        this.unmatched(part, failure);
      }
      this.painter.soon(true);
    }
  }

  describe(row) {
    const { key, path, itemId, file } = row;
    row.hint = this.hintOf(row);
    const { name, size, type } = file;
    return { key, name, path, size, type, item_id: itemId, hint: row.hint };
  }

  takeAnswers(rows, answers) {
    const byKey = new Map(answers.map((answer) => [answer.key, answer]));
    rows.forEach((row, at) => {
      const answer = byKey.get(row.key) ?? answers[at];
      if (!this.rows.has(row.key)) return;
      if (answer) row.match(answer);
      else row.to("refused", this.strings.failed);
    });
  }

  unmatched(rows, failure) {
    for (const row of rows) {
      row.passing = failure.passing;
      row.step = "match";
      row.to("failed", this.explain(failure));
    }
    if (failure.kind === "signed-out") this.signedOut();
  }

  remove(row) {
    this.sender.remove(row);
    this.rows.delete(row.key);
    this.count(row, -1);
    this.painter.forget(row);
    row.element?.remove();
    this.parts.work.hidden = this.rows.size === 0;
    this.painter.soon();
  }

  clear(which) {
    for (const row of this.list().filter(which)) this.remove(row);
  }

  // --- sending ------------------------------------------------------------------------------

  send() {
    this.go(this.list().filter((one) => one.ready));
  }

  go(rows) {
    if (!rows.length) return;
    if (!this.list().some((row) => row.busy)) this.sums.start(this.list());
    this.notice("");
    if (this.parts.next) this.parts.next.hidden = true;
    this.sender.send(rows);
    if (this.sender.paused) this.resume();
    this.painter.soon();
  }

  retry(rows) {
    const names = rows.filter((row) => row.step === "match");
    for (const row of names) {
      row.step = "";
      row.to("matching");
    }
    this.go(rows.filter((one) => !names.includes(one)));
    if (names.length) this.match(names);
  }

  pause() {
    this.sender.pause();
    for (const row of this.of("sending", "queued", "waiting")) row.to("paused");
    this.say(this.strings.paused);
    this.painter.soon(true);
  }

  resume() {
    for (const row of this.of("paused")) row.to("queued");
    this.sender.resume();
    this.say("");
    this.sums.start(this.list());
    this.painter.soon(true);
  }

  state(row, state) {
    if (!this.rows.has(row.key)) return;
    const text = state === "waiting" ? this.strings.trying_again : "";
    row.to(this.sender.paused && state !== "ending" ? "paused" : state, text);
    if (state === "sending" && row.ticket?.received.length) row.to("sending", this.strings.goes_on);
  }

  done(row, answer) {
    row.progress(row.file.size);
    row.to("done", answer.message ?? "");
    this.unfinished.arrived(answer.upload_id);
    this.refresh();
    this.ended();
  }

  failed(row, failure) {
    if (!this.rows.has(row.key)) return;
    row.passing = failure.passing;
    if (failure.data?.status === 404) row.match({ status: "unmatched", message: failure.text });
    else row.to("failed", this.explain(failure));
    if (failure.kind === "signed-out") this.signedOut();
    this.ended();
  }

  explain(failure) {
    if (!(failure instanceof Failure)) return this.strings.failed;
    const { strings } = this;
    const texts = {
      network: strings.lost,
      full: strings.full,
      changed: strings.changed,
      "signed-out": strings.signed_out,
    };
    return texts[failure.kind] ?? (failure.text || strings.failed);
  }

  signedOut() {
    this.pause();
    this.notice(this.strings.signed_out, meta("sign-in"));
  }

  async again() {
    if (!(await refreshToken().catch(() => false))) return;
    this.notice("");
    this.resume();
    this.retry(this.of("failed"));
  }

  offline() {
    this.notice(this.strings.offline);
    for (const row of this.of("sending")) row.to("waiting", this.strings.lost);
  }

  online() {
    this.notice("");
    this.sender.again();
    const lost = this.of("failed").filter((row) => row.passing);
    if (lost.length) this.retry(lost);
  }

  // --- telling ------------------------------------------------------------------------------

  progress(row, bytes) {
    row.progress(bytes);
  }

  paint(rows) {
    const { body } = this.parts;
    for (const row of rows) {
      if (!this.rows.has(row.key)) continue;
      row.draw();
      if (!row.element.parentNode) body.append(row.element);
    }
    this.sums.show(this.list(), Boolean(this.sender.paused));
  }

  ended() {
    if (this.list().some((row) => row.busy)) return;
    this.painter.soon(true);
    const [done, failed] = [this.of("done").length, this.of("failed").length];
    this.say(fill(failed ? this.strings.ended_failed : this.strings.ended, { n: done, m: failed }));
    if (this.parts.next) this.parts.next.hidden = failed > 0 || done === 0;
    this.refresh(true);
  }

  /** Tell the page (data-hx-trigger="<event> from:body") that items changed, not too often. */
  refresh(now = false) {
    const wait = now ? 0 : Math.max(REFRESH_EVERY, REFRESH_EACH * this.rows.size);
    if (this.refreshing && !now) return;
    clearTimeout(this.refreshing);
    this.refreshing = setTimeout(() => {
      this.refreshing = 0;
      document.body.dispatchEvent(new CustomEvent(this.box.dataset.refreshEvent));
    }, wait);
  }

  say(text) {
    this.parts.live.textContent = text;
  }

  notice(text, link = "") {
    const { parts } = this;
    parts.notice.hidden = !text;
    parts["notice-text"].textContent = text;
    parts["notice-link"].hidden = !link;
    parts["notice-again"].hidden = !link;
    if (link) parts["notice-link"].href = link;
  }
}

for (const box of document.querySelectorAll("[data-upload-desk]")) new Desk(box);

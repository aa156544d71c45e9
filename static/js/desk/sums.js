// What the desk says of all its files together: counts by state, buttons, progress.
import { Counter, filesize, fill } from "./rows.js";

const COUNTED = ["matched", "unmatched", "unexpected", "duplicate", "refused", "failed", "done"];
const KEPT = ["done", "failed", "matching"];

export class Sums {
  /** `parts` are the desk's elements, `strings` its texts, `icons` the address of the icons. */
  constructor({ parts, strings, icons }) {
    Object.assign(this, { parts, strings, icons });
    this.counters = new Map();
    this.shown = "";
    this.startedAt = 0;
    this.sentAtStart = 0;
  }

  /** The rate is reckoned from now. */
  start(rows) {
    this.startedAt = performance.now();
    this.sentAtStart = rows.reduce((sum, row) => sum + row.sentBytes, 0);
  }

  show(rows, paused) {
    const { parts, strings } = this;
    const counts = new Map();
    let [ready, proposed, moving, rest] = [0, 0, false, false];
    for (const row of rows) {
      const state = sort(row);
      counts.set(state, (counts.get(state) ?? 0) + 1);
      ready += row.ready;
      proposed += row.proposed;
      moving ||= row.busy;
      rest ||= !kept(row);
    }
    this.showCounts(counts);
    parts.send.disabled = ready === 0;
    label(parts.send, fill(strings.send, { n: ready }));
    parts["retry-all"].hidden = (counts.get("failed") ?? 0) < 2;
    parts["accept-all"].hidden = proposed === 0;
    label(parts["accept-all"], fill(strings.accept_all, { n: proposed }));
    parts["clear-rest"].hidden = !rest;
    parts["clear-done"].hidden = !counts.get("done");
    parts.send.hidden = ready === 0 && (moving || counts.has("done"));
    parts.pause.hidden = !moving || paused;
    parts.resume.hidden = !moving || !paused;
    for (const name of ["cancel-all", "total", "total-text"]) parts[name].hidden = !moving;
    if (moving) this.showTotal(rows, counts.get("done") ?? 0);
  }

  showCounts(counts) {
    for (const state of COUNTED) {
      let counter = this.counters.get(state);
      const count = counts.get(state) ?? 0;
      if (!counter && !count) continue;
      if (!counter) {
        counter = new Counter(state, this.strings, this.icons);
        this.counters.set(state, counter);
        const after = COUNTED.slice(COUNTED.indexOf(state) + 1);
        const next = after.map((one) => this.counters.get(one)?.element).find(Boolean);
        this.parts.counts.insertBefore(counter.element, next ?? null);
      }
      counter.show(count, this.shown === state);
    }
  }

  showTotal(rows, done) {
    let [count, all, sent] = [0, 0, 0];
    for (const row of rows) {
      if (!row.busy && row.state !== "done") continue;
      count += 1;
      all += row.file.size;
      sent += row.sentBytes;
    }
    const elapsed = (performance.now() - this.startedAt) / 1000;
    const rate = elapsed > 2 ? Math.max(0, sent - this.sentAtStart) / elapsed : 0;
    this.parts.total.value = all ? sent / all : 0;
    const text = rate ? this.strings.total_rate : this.strings.total;
    this.parts["total-text"].textContent = fill(text, {
      left: this.minutes(rate ? (all - sent) / rate : 0),
      n: done,
      m: count,
      sent: filesize(sent),
      all: filesize(all),
      rate: filesize(Math.round(rate)),
    });
  }

  minutes(seconds) {
    if (seconds < 60) return this.strings.under_a_minute;
    return fill(this.strings.minutes, { n: Math.ceil(seconds / 60) });
  }
}

/** What a row is counted as. */
export function sort(row) {
  return row.ready ? "matched" : row.state;
}

/** Whether "take off what will not be sent" leaves the row. */
export function kept(row) {
  return row.ready || row.busy || KEPT.includes(row.state);
}

function label(button, text) {
  button.querySelector("[data-label]").textContent = text;
}

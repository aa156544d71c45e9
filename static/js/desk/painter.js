// Draws what changed on the desk: rows that told something, and the sums, together and not too often.
// A folder of hundreds tells more than a screen can show; drawing all of it as it comes would take
// the time that sending needs. So drawing takes at most a share of the time, and waits for a frame.

const SHARE = 5; // a frame that took 20 ms is followed by none for 100
const LEAST = 50;
const MOST = 1500;
const A_SCREEN = 60;

export class Painter {
  /** `paint(rows)` draws these rows and the sums. */
  constructor(paint) {
    this.paint = paint;
    this.rows = new Set();
    this.next = 0;
    this.timer = 0;
    this.frame = 0;
    this.settling = false;
    this.wanted = false;
    this.all = false;
  }

  /** A row changed by itself: drawn in its turn. */
  touch(row) {
    this.rows.add(row);
    this.later();
  }

  /** The row is gone. */
  forget(row) {
    this.rows.delete(row);
  }

  /** Draw in its turn. */
  later() {
    this.wanted = true;
    if (this.timer || this.frame || this.settling) return;
    const wait = this.next - performance.now();
    if (wait > 0) this.timer = setTimeout(() => this.soon(), wait);
    else this.soon();
  }

  /** Draw in the next frame, for a person waits for it: as many rows as a screen shows, the others
   * in their turn; or `all` of them. */
  soon(all = false) {
    this.all ||= all;
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const began = performance.now();
    const rows = [...this.rows].slice(0, this.all ? Infinity : A_SCREEN);
    this.frame = 0;
    this.all = false;
    for (const row of rows) this.rows.delete(row);
    this.wanted = this.rows.size > 0;
    this.paint(rows);
    // Layout and painting follow the frame's scripts: the next task sees what all of it took.
    this.settling = true;
    setTimeout(() => {
      const took = performance.now() - began;
      this.settling = false;
      this.next = performance.now() + Math.min(MOST, Math.max(LEAST, SHARE * took));
      if (this.wanted) this.later();
    });
  }
}

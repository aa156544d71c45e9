// The files of an earlier visit that began and are not complete, by the portal's list of them: each
// goes off the list when it has arrived, and the list with the last.
import { fill } from "./rows.js";

export class Unfinished {
  /** `box` is the list's element (none: nothing is unfinished), `text` its heading for one and more. */
  constructor(box, text) {
    Object.assign(this, { box, text });
  }

  arrived(uploadId) {
    if (!this.box) return;
    this.box.querySelector(`[data-upload="${CSS.escape(uploadId ?? "")}"]`)?.remove();
    const left = this.box.querySelectorAll("[data-upload]").length;
    this.box.hidden = left === 0;
    this.box.querySelector("summary").textContent = fill(this.text, { n: left });
  }
}

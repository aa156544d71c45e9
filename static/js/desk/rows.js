// The preview table: one row a file, drawn from the macro's <template>.

const SVG = "http://www.w3.org/2000/svg";

/** State -> tone and icon of its chip. */
const LOOKS = {
  matching: ["neutral", "hourglass"],
  matched: ["success", "circle-check"],
  unmatched: ["warning", "alert-triangle"],
  unexpected: ["warning", "alert-circle"],
  duplicate: ["pending", "copy"],
  refused: ["danger", "ban"],
  queued: ["neutral", "hourglass"],
  sending: ["info", "upload"],
  ending: ["info", "upload"],
  paused: ["pending", "player-pause"],
  waiting: ["pending", "wifi-off"],
  done: ["success", "circle-check"],
  failed: ["danger", "circle-x"],
};

/** States of a file that is not on its way and not delivered. */
const PREVIEW = ["matched", "unmatched", "unexpected", "duplicate"];

/** States of a file that is on its way. */
const BUSY = ["queued", "sending", "ending", "waiting", "paused"];

/** Bytes for people, like the server's `filesize` filter. */
export function filesize(bytes) {
  let value = bytes;
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (value < 1024 || unit === "GB") {
      return `${value.toFixed(1).replace(/\.0$/, "")} ${unit}`;
    }
    value /= 1024;
  }
  return "";
}

/** `text` with {name} places filled in. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** A chip (icon and text) that says `state`. */
export function chip(state, text, icons) {
  const [tone, icon] = LOOKS[state];
  const made = document.createElement("span");
  made.className = `chip tone-${tone}`;
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "i");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${icons}#${icon}`);
  picture.append(use);
  made.append(picture, text);
  return made;
}

export class Row {
  constructor(key, { file, path }, desk) {
    Object.assign(this, { key, file, path, desk });
    this.state = "matching";
    this.itemId = null;
    this.itemLabel = "";
    this.text = "";
    this.choices = [];
    this.proposal = null;
    this.byHand = false;
    this.sentBytes = 0;
    this.ticket = null;
    this.uppyId = null;
    this.passing = false;
    this.build();
  }

  /** Whether "send" takes this row. */
  get ready() {
    if (this.state === "matched") return Boolean(this.itemId);
    return this.byHand && PREVIEW.includes(this.state);
  }

  get busy() {
    return BUSY.includes(this.state);
  }

  build() {
    this.element = this.desk.template.content.firstElementChild.cloneNode(true);
    const part = (name) => this.element.querySelector(`[data-${name}]`);
    this.parts = {};
    for (const name of ["item", "choose", "message", "accept", "chip", "state", "bar", "retry", "remove", "remove-text"]) {
      this.parts[name] = part(name);
    }
    const { strings } = this.desk;
    const { name } = this.file;
    part("name").textContent = name;
    const folder = this.path.slice(0, -name.length).replace(/\/$/, "");
    part("path").textContent = folder;
    part("size").textContent = filesize(this.file.size);
    this.parts.choose.setAttribute("aria-label", fill(strings.assign, { name }));
    this.parts.retry.setAttribute("aria-label", fill(strings.retry_one, { name }));
    this.parts.remove.setAttribute("aria-label", fill(strings.remove_one, { name }));
    this.parts.bar.setAttribute("aria-label", fill(strings.progress_one, { name }));
    this.parts.choose.addEventListener("focus", () => this.offer(true));
    this.parts.choose.addEventListener("change", () => this.choose());
    this.parts.accept.addEventListener("click", () => this.accept());
    this.parts.retry.addEventListener("click", () => this.desk.retry([this]));
    this.parts.remove.addEventListener("click", () => this.desk.remove(this));
    this.draw();
  }

  /** Take the server's answer on where this file belongs. */
  match(answer) {
    this.state = PREVIEW.includes(answer.status) ? answer.status : "refused";
    this.itemId = answer.item_id ?? null;
    this.itemLabel = answer.item_label ?? "";
    this.text = answer.message ?? "";
    this.choices = answer.choices ?? [];
    this.proposal = answer.proposal ?? null;
    this.byHand = false;
    this.offer(false);
    this.draw();
  }

  /** Fill the list of items; the long common list only when the person reaches for it. */
  offer(whole) {
    const { choose } = this.parts;
    const { choices, strings } = this.desk;
    if (choose.dataset.whole === String(whole) && whole) return;
    choose.dataset.whole = String(whole);
    const own = [...this.choices];
    if (this.itemId && this.itemLabel) own.unshift({ id: this.itemId, label: this.itemLabel });
    const known = new Set(own.map((choice) => choice.id));
    const rest = whole ? choices.filter((choice) => !known.has(choice.id)) : [];
    const selected = this.byHand ? this.itemId : "";
    const first = new Option(this.state === "duplicate" ? strings.leave_out : strings.choose, "");
    const unique = [...new Map(own.map((choice) => [choice.id, choice])).values()];
    const options = [...unique, ...rest].map(({ id, label }) => new Option(label, id));
    choose.replaceChildren(first, ...options);
    choose.value = selected ?? "";
  }

  /** Whether the server guesses where it belongs and nobody has said yet. */
  get proposed() {
    return Boolean(this.proposal) && !this.byHand && PREVIEW.includes(this.state);
  }

  /** Say yes to the server's guess. */
  accept() {
    this.byHand = true;
    this.itemId = this.proposal.id;
    this.itemLabel = this.proposal.label;
    this.offer(false);
    this.draw();
    this.desk.summarise();
  }

  choose() {
    const { value, selectedOptions } = this.parts.choose;
    this.byHand = value !== "";
    if (this.byHand) {
      this.itemId = value;
      this.itemLabel = selectedOptions[0].textContent;
    }
    this.draw();
    this.desk.summarise();
  }

  to(state, text = "") {
    this.state = state;
    this.text = text;
    this.draw();
  }

  progress(bytes) {
    this.sentBytes = Math.min(bytes, this.file.size);
    this.parts.bar.value = this.file.size ? this.sentBytes / this.file.size : 0;
  }

  draw() {
    const { parts, desk, state } = this;
    const shown = this.byHand && PREVIEW.includes(state) ? "matched" : state;
    const [tone, icon] = LOOKS[shown];
    parts.chip.className = `chip tone-${tone}`;
    parts.chip.querySelector("use").setAttribute("href", `${desk.icons}#${icon}`);
    parts.state.textContent = desk.strings.states[shown];
    const asks = ["unmatched", "unexpected", "duplicate"].includes(state);
    parts.choose.hidden = !asks;
    parts.item.hidden = asks;
    parts.item.textContent = this.itemLabel || "—";
    parts.message.textContent = this.text;
    parts.accept.hidden = !this.proposed;
    if (this.proposed) parts.accept.textContent = fill(desk.strings.accept, this.proposal);
    parts.bar.hidden = !BUSY.includes(state) || (state === "queued" && !this.sentBytes);
    parts.retry.hidden = state !== "failed";
    parts.remove.hidden = ["done", "ending"].includes(state);
    parts["remove-text"].textContent = this.busy ? desk.strings.cancel : desk.strings.take_off;
    this.element.classList.toggle("is-error", state === "failed" || state === "refused");
    this.element.dataset.status = state;
  }
}

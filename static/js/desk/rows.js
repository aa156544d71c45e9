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

/** Parts of a row that few rows show at a time. */
const SELDOM = ["choose", "accept", "bar", "retry"];

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

/** `text` with {name} places filled in; of a pair the first is for one, by {n}. */
export function fill(text, values) {
  const said = Array.isArray(text) ? text[values.n === 1 ? 0 : 1] : text;
  return said.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** How many rows are in `state`: a chip that, pressed, leaves only those on the list. */
export class Counter {
  constructor(state, strings, icons) {
    const [tone, icon] = LOOKS[state];
    this.name = strings.states[state];
    this.element = document.createElement("button");
    this.element.type = "button";
    this.element.className = `chip tone-${tone}`;
    this.element.dataset.only = state;
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("class", "i");
    picture.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `${icons}#${icon}`);
    picture.append(use);
    this.text = document.createElement("span");
    this.element.append(picture, this.text);
  }

  show(count, pressed) {
    write(this.text, `${this.name} ${count}`);
    this.element.setAttribute("aria-pressed", String(pressed));
    this.element.hidden = !count && !pressed;
  }
}

/** Set a text that may stand there already: writing it again would lay the row out anew. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
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
    this.out = false;
    this.element = null;
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
    for (const name of ["item", "message", "chip", "state", "remove", "remove-text", ...SELDOM]) {
      this.parts[name] = part(name);
    }
    this.places = {};
    for (const name of SELDOM) this.takeOut(name);
    const { strings } = this.desk;
    const { name } = this.file;
    part("name").textContent = name;
    const folder = this.path.slice(0, -name.length).replace(/\/$/, "");
    part("path").textContent = folder;
    part("size").textContent = filesize(this.file.size);
    this.parts.use = this.parts.chip.querySelector("use");
    this.parts.choose.setAttribute("aria-label", fill(strings.assign, { name }));
    this.parts.retry.setAttribute("aria-label", fill(strings.retry_one, { name }));
    this.parts.remove.setAttribute("aria-label", fill(strings.remove_one, { name }));
    this.parts.bar.setAttribute("aria-label", fill(strings.progress_one, { name }));
    this.parts.choose.addEventListener("focus", () => this.offer(true));
    this.parts.choose.addEventListener("change", () => this.choose());
    this.parts.accept.addEventListener("click", () => this.accept());
    this.parts.retry.addEventListener("click", () => this.desk.retry([this]));
    this.parts.remove.addEventListener("click", () => this.desk.remove(this));
  }

  /** What most rows never show is no part of the page until it is shown. */
  takeOut(name) {
    const part = this.parts[name];
    const place = document.createComment("");
    part.hidden = false;
    part.replaceWith(place);
    this.places[name] = place;
  }

  show(name, shown) {
    const part = this.parts[name];
    if (Boolean(part.parentNode) === shown) return;
    if (shown) this.places[name].after(part);
    else part.remove();
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
    this.offered = false;
    this.desk.painter.touch(this);
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
    this.offered = true;
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
    this.offered = false;
    this.changed();
  }

  choose() {
    const { value, selectedOptions } = this.parts.choose;
    this.byHand = value !== "";
    if (this.byHand) {
      this.itemId = value;
      this.itemLabel = selectedOptions[0].textContent;
    }
    this.changed();
  }

  /** The person changed something: it shows at once. */
  changed() {
    this.desk.painter.touch(this);
    this.desk.painter.soon();
  }

  to(state, text = "") {
    this.state = state;
    this.text = text;
    this.desk.painter.touch(this);
  }

  progress(bytes) {
    this.sentBytes = Math.min(bytes, this.file.size);
    this.desk.painter.touch(this);
  }

  /** Show the row as it stands; called by the painter. */
  draw() {
    if (!this.element) this.build();
    const { parts, desk, state } = this;
    const shown = this.byHand && PREVIEW.includes(state) ? "matched" : state;
    const [tone, icon] = LOOKS[shown];
    const look = `${desk.icons}#${icon}`;
    parts.chip.className = `chip tone-${tone}`;
    if (parts.use.getAttribute("href") !== look) parts.use.setAttribute("href", look);
    write(parts.state, desk.strings.states[shown]);
    const asks = ["unmatched", "unexpected", "duplicate"].includes(state);
    this.show("choose", asks);
    if (asks && !this.offered) this.offer(false);
    parts.item.hidden = asks;
    write(parts.item, this.itemLabel || "—");
    write(parts.message, this.text);
    this.show("accept", this.proposed);
    if (this.proposed) write(parts.accept, fill(desk.strings.accept, this.proposal));
    parts.bar.value = this.file.size ? this.sentBytes / this.file.size : 0;
    this.show("bar", BUSY.includes(state) && (state !== "queued" || this.sentBytes > 0));
    this.show("retry", state === "failed");
    parts.remove.hidden = ["done", "ending"].includes(state);
    write(parts["remove-text"], this.busy ? desk.strings.cancel : desk.strings.take_off);
    this.element.classList.toggle("is-error", state === "failed" || state === "refused");
    this.element.dataset.status = state;
    this.element.hidden = this.out;
  }
}

// Starting and completing uploads, many files with one request: a folder holds hundreds.
import { Failure, ask, kindOf, post, textOf } from "./api.js";

const AT_ONCE = 50;
const GATHER = 400;
// Addresses are good for an hour of the server's time; asked for anew well before that.
const GOOD_FOR = 45 * 60 * 1000;

function refusal(answer) {
  const kind = answer.missing?.length ? "again" : kindOf(answer.status);
  return new Failure(kind, textOf(answer), answer);
}

/** Signed tickets of rows. Rows announced together are started together, when first needed. */
export class Tickets {
  constructor(startUrl) {
    this.startUrl = startUrl;
    this.waiting = [];
    this.asked = new Map();
  }

  /** These rows will be sent, in this order. */
  announce(rows) {
    for (const row of rows) if (!row.ticket) this.waiting.push(row);
  }

  /** The ticket of a row: {upload_id, url, parts, part_size, received, addresses, at}. */
  async of(row) {
    if (row.ticket) return row.ticket;
    if (!this.asked.has(row)) {
      const rest = this.waiting.filter((one) => one !== row && !this.asked.has(one));
      this.start([row, ...rest.slice(0, AT_ONCE - 1)]);
    }
    const ticket = await this.asked.get(row);
    // The next ones are asked for while these are on their way.
    const next = this.waiting.filter((one) => !this.asked.has(one) && !one.ticket);
    if (next.length && this.asked.size < AT_ONCE) this.start(next.slice(0, AT_ONCE));
    return ticket;
  }

  /** Tickets of all these rows; one that is refused rejects only when it is asked for alone. */
  async ofAll(rows) {
    await Promise.allSettled(rows.map((row) => this.of(row)));
  }

  start(rows) {
    this.waiting = this.waiting.filter((row) => !rows.includes(row));
    const answer = post(this.startUrl, {
      files: rows.map(({ key, path, itemId, file, hint }) => ({
        key,
        name: file.name,
        path,
        size: file.size,
        item_id: itemId,
        hint,
        modified: file.lastModified,
      })),
    });
    for (const row of rows) {
      const mine = answer
        .then((all) => {
          const one = all.files.find((other) => other.key === row.key);
          if (!one || one.status) throw refusal(one ?? { status: 500 });
          row.ticket = { ...one, at: performance.now() };
          return row.ticket;
        })
        .finally(() => this.asked.delete(row));
      mine.catch(() => {}); // asked ahead: told when its turn comes
      this.asked.set(row, mine);
    }
  }

  /** A fresh enough address for a part; asks for more of them when they run out. */
  async address(row, number) {
    const ticket = await this.of(row);
    const old = performance.now() - ticket.at > GOOD_FOR;
    if (old || !ticket.addresses[number]) {
      const rest = Array.from({ length: ticket.parts - number + 1 }, (_, at) => number + at);
      const fresh = await post(`${ticket.url}/addresses`, { parts: rest.slice(0, 25) });
      Object.assign(ticket, { addresses: fresh.addresses, at: performance.now() });
    }
    const address = ticket.addresses[number];
    // A part that the store holds already needs no address. Of several the list was old: begin from
    // it; a file of one part is whole and lacks its end only.
    if (!address) throw new Failure(ticket.parts > 1 ? "again" : "whole");
    return address;
  }

  /** Take a row off: what the portal holds of it is removed. */
  async cancel(row) {
    this.waiting = this.waiting.filter((one) => one !== row);
    const ticket = row.ticket ?? (await this.asked.get(row)?.catch(() => null));
    row.ticket = null;
    if (ticket) await ask("DELETE", ticket.url).catch(() => {});
  }
}

/** Tells the portal which files are whole; gathers those that end at about the same time. */
export class Completer {
  constructor(startUrl) {
    this.url = `${startUrl}/complete`;
    this.waiting = [];
    this.busy = false;
  }

  /** The portal's answer for one upload: {delivery_id, message}. With `more` on the way it waits a
   * moment for their ends. */
  complete(uploadId, more) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ uploadId, resolve, reject });
      if (this.busy) return;
      if (!more || this.waiting.length >= AT_ONCE / 2) this.flush();
      else this.timer ||= setTimeout(() => this.flush(), GATHER);
    });
  }

  async flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    const batch = this.waiting.splice(0, AT_ONCE);
    if (!batch.length) return;
    this.busy = true;
    try {
      const { files } = await post(this.url, { uploads: batch.map((one) => one.uploadId) });
      const byId = new Map(files.map((answer) => [answer.upload_id, answer]));
      for (const { uploadId, resolve, reject } of batch) {
        const answer = byId.get(uploadId);
        if (answer && !answer.status) resolve(answer);
        else reject(refusal(answer ?? { status: 500 }));
      }
    } catch (failure) {
      for (const { reject } of batch) reject(failure);
    } finally {
      this.busy = false;
      if (this.waiting.length) this.flush();
    }
  }
}

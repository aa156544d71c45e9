// Lists among the chosen files (a workbook or CSV named 清单, 目录, 对照, manifest …) that say which
// file is of which case or call. The server reads them; what it says goes with each name.
import { headers } from "./api.js";

const LIST = /(清单|清單|目录|目錄|对照|對照|索引|manifest|filelist|file[-_ ]list|index).*\.(xlsx|csv|txt)$/i;
const LARGEST = 10 * 1024 * 1024;

/** Split a path into its parts, in small letters, the file's name first. */
function upwards(path) {
  return path.toLowerCase().split("/").reverse();
}

/** A number without what people leave out or write differently, like the server's `squashed`. */
function squashed(text) {
  return text.normalize("NFKC").replace(/[^0-9a-z]/gi, "").toUpperCase();
}

/** What lists say of files: entries {file, hint}, by the last part of `file`. */
export class Hints {
  constructor() {
    this.byName = new Map();
    this.size = 0;
  }

  add(entries) {
    for (const { file, hint } of entries) {
      const parts = upwards(file);
      const known = this.byName.get(parts[0]) ?? [];
      known.push({ parts, hint });
      this.byName.set(parts[0], known);
    }
    this.size += entries.length;
  }

  /** What is said of the file with this path. `alone`: no other file on the desk has its name;
   * otherwise folders must tell which of them is meant: those of the list, or the case number. */
  of(path, alone) {
    const own = upwards(path);
    const entries = this.byName.get(own[0]);
    if (!entries) return undefined;
    let [best, most] = [[], alone ? 1 : 2];
    for (const { parts, hint } of entries) {
      const other = parts.findIndex((part, at) => part !== own[at]);
      const agreeing = other < 0 ? parts.length : other;
      if (agreeing > most) [best, most] = [[], agreeing];
      if (agreeing === most) best.push(hint);
    }
    return only(best) ?? only(ofFolder(entries, own.slice(1)));
  }
}

/** Hints whose case number stands in one of the folders. */
function ofFolder(entries, folders) {
  const text = folders.map(squashed);
  return entries
    .map(({ hint }) => hint)
    .filter(({ case_no: caseNo }) => {
      const number = squashed(caseNo ?? "");
      return number && text.some((one) => one.includes(number));
    });
}

/** The hint, where all say the same. */
function only(hints) {
  return new Set(hints.map((hint) => JSON.stringify(hint))).size === 1 ? hints[0] : undefined;
}

/** {entries: [{file, hint}] of all lists, rest: the files that are no lists}. */
export async function readLists(found, url) {
  const entries = [];
  const rest = [];
  for (const one of found) {
    const said = url && LIST.test(one.file.name) ? await read(one.file, url) : [];
    entries.push(...said);
    if (!said.length) rest.push(one);
  }
  return { entries, rest };
}

async function read(file, url) {
  if (file.size > LARGEST) return [];
  const body = new FormData();
  body.append("file", file);
  try {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: headers(),
      body,
    });
    return answer.ok ? (await answer.json()).entries : [];
  } catch {
    return []; // it stays on the desk as a file like any other
  }
}

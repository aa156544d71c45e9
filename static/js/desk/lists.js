// Lists among the chosen files (a workbook or CSV named 清单, 目录, 对照, manifest …) that say which
// file is of which case or call. The server reads them; what it says goes with each name.
import { headers } from "./api.js";

const LIST = /(清单|清單|目录|目錄|对照|對照|索引|manifest|filelist|file[-_ ]list|index).*\.(xlsx|csv|txt)$/i;
const LARGEST = 10 * 1024 * 1024;

/** {hints: Map of lower-case file name -> hint, rest: the files that are no lists}. */
export async function readLists(found, url) {
  const hints = new Map();
  const rest = [];
  for (const one of found) {
    const entries = url && LIST.test(one.file.name) ? await read(one.file, url) : [];
    for (const { file, hint } of entries) hints.set(file.toLowerCase(), hint);
    if (!entries.length) rest.push(one);
  }
  return { hints, rest };
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

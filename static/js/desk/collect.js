// Gathers files from inputs and drops (whole folders too) and refuses at once what the server
// would refuse: nothing in it, too large, a kind that is not taken.

const ARCHIVE = /\.(zip|rar|7z|tar|gz|tgz)$/i;
const JUNK = /^(\.|~\$|thumbs\.db$|desktop\.ini$)/i;

/** {file, path} of every file chosen in an <input type=file>; junk of operating systems left out. */
export function fromInput(input) {
  return [...input.files]
    .filter((file) => !JUNK.test(file.name))
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** {file, path} of everything dropped, folders walked through. Call inside the drop event. */
export async function fromDrop(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  // Entries must be taken before the first await: the list is emptied after the event.
  const entries = items.map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = (await Promise.all(entries.map(walk))).flat();
  // A folder gives its entries in no order.
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  return found.sort((one, other) => compare(one.path, other.path));
}

async function walk(entry) {
  if (JUNK.test(entry.name)) return [];
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives at most 100 entries a call; an empty answer is the end.
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found;
    found.push(...(await Promise.all(batch.map(walk))).flat());
  }
}

/** Why a file cannot be taken (a key of the strings), or "" when it can. */
export function refusal(file, { extensions, maxBytes }) {
  if (file.size === 0) return "empty";
  if (maxBytes && file.size > maxBytes) return "too_large";
  const ending = /\.([^.]+)$/.exec(file.name)?.[1].toLowerCase() ?? "";
  if (!extensions.length || extensions.includes(ending)) return "";
  return ARCHIVE.test(file.name) ? "archive" : "wrong_type";
}

/** The same file chosen twice has the same identity. */
export function identity({ file, path }) {
  return `${path}\u0000${file.size}\u0000${file.lastModified}`;
}

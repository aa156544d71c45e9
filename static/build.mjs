// Builds the front end into static/dist: hashed names, pre-compressed copies, manifest.json.
// Run by bin/build-front (or `npm run build`). The same sources give the same names.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const dist = path.join(here, "dist");
const SCRIPTS = ["app", "player", "sitting", "upload-desk"];
const STYLES = ["app"];

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);

/** Name -> bytes of everything that goes to static/dist. */
const built = new Map();
const manifest = {};

function put(name, bytes) {
  const { name: stem, ext } = path.parse(name);
  const hashed = `${stem}-${hash(bytes)}${ext}`;
  built.set(hashed, Buffer.from(bytes));
  manifest[name] = hashed;
  return hashed;
}

async function icons() {
  const lines = (await readFile(path.join(here, "img/icons.txt"), "utf8")).split("\n");
  const symbols = new Map();
  for (const line of lines.map((text) => text.trim())) {
    if (!line || line.startsWith("#")) continue;
    if (symbols.has(line)) throw new Error(`img/icons.txt names ${line} twice`);
    const name = line.replace("/", "-");
    const folder = line.startsWith("filled/") ? "" : "outline/";
    const file = path.join(root, `node_modules/@tabler/icons/icons/${folder}${line}.svg`);
    const body = (await readFile(file, "utf8"))
      .replace(/^[\s\S]*?<svg[\s\S]*?>/, "")
      .replace("</svg>", "")
      .replace(/\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/, "")
      .replace(/>\s+</g, "><")
      .trim();
    symbols.set(name, `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`);
  }
  put("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${[...symbols.values()].join("")}</svg>\n`);
  return new Set(symbols.keys());
}

async function walk(folder, endings) {
  const found = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isFile() && endings.some((end) => entry.name.endsWith(end))) {
      found.push(path.join(entry.parentPath ?? entry.path, entry.name));
    }
  }
  return found.sort();
}

async function checkIcons(known) {
  const missing = [];
  for (const file of await walk(path.join(root, "templates"), [".html"])) {
    const text = await readFile(file, "utf8");
    for (const [, name] of text.matchAll(/\b(?:icon\(\s*|icon_name\s*=\s*)["']([\w-]+)["']/g)) {
      if (!known.has(name)) missing.push(`${path.relative(root, file)}: ${name}`);
    }
  }
  if (missing.length) {
    throw new Error(`icons that static/img/icons.txt does not list:\n  ${missing.join("\n  ")}`);
  }
}

async function images() {
  for (const file of await walk(path.join(here, "img"), [".svg", ".png", ".ico"])) {
    put(path.relative(path.join(here, "img"), file), await readFile(file));
  }
}

async function styles() {
  for (const name of STYLES) {
    const compiled = sass.compile(path.join(here, `css/${name}.scss`), {
      loadPaths: [path.join(root, "node_modules")],
      quietDeps: true,
      silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
      style: "expanded",
    });
    // url(img:<name>) in the sources stands for a hashed image.
    const css = compiled.css.replace(/url\("?img:([\w.-]+)"?\)/g, (_, image) => {
      if (!manifest[image]) throw new Error(`css/${name}.scss: no image ${image}`);
      return `url("${manifest[image]}")`;
    });
    if (/url\(["']?data:/.test(css)) {
      throw new Error(`css/${name}.scss holds a data: address, which the policy refuses`);
    }
    const { code } = await esbuild.transform(css, {
      loader: "css",
      minify: true,
      target: ["chrome100", "safari15", "firefox100"],
    });
    put(`${name}.css`, code);
  }
}

async function scripts() {
  const result = await esbuild.build({
    entryPoints: SCRIPTS.map((name) => path.join(here, `js/${name}.js`)),
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome100", "safari15", "firefox100"],
    legalComments: "none",
    outdir: dist,
    write: false,
    logLevel: "warning",
  });
  for (const file of result.outputFiles) put(path.basename(file.path), file.contents);
}

async function write() {
  await mkdir(dist, { recursive: true });
  const keep = new Set(["manifest.json"]);
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  for (const [name, bytes] of built) {
    const copies = [[name, bytes]];
    if (/\.(css|js|svg)$/.test(name)) {
      copies.push([`${name}.gz`, gzipSync(bytes, { level: 9 })]);
      copies.push([`${name}.br`, brotliCompressSync(bytes, options)]);
    }
    for (const [copy, content] of copies) {
      keep.add(copy);
      await writeFile(path.join(dist, copy), content);
    }
  }
  const sorted = Object.fromEntries(Object.entries(manifest).sort());
  await writeFile(path.join(dist, "manifest.json.new"), `${JSON.stringify(sorted, null, 1)}\n`);
  await rename(path.join(dist, "manifest.json.new"), path.join(dist, "manifest.json"));
  // Folders (the print fonts) and stamps are others' work.
  for (const entry of await readdir(dist, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || !entry.isFile() || keep.has(entry.name)) continue;
    await rm(path.join(dist, entry.name));
  }
}

await checkIcons(await icons());
await images();
await styles();
await scripts();
await write();
for (const name of ["app.css", "app.js", "player.js", "sitting.js", "upload-desk.js", "icons.svg"]) {
  const size = built.get(manifest[name]).length;
  console.log(`${manifest[name].padEnd(32)} ${(size / 1024).toFixed(1)} KB`);
}

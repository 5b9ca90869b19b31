// The browser's files, from what cargo built to what the server sends:
//   node script/assets.mjs <dev|release> <frontend.wasm> <site folder>
// Every file in <site>/pkg carries a hash of its content in its name (so it may be cached for
// ever) and has a brotli twin; <site>/manifest.json says what each is called now. public/ is
// copied beside pkg/ under its own names. A step whose inputs are as they were is skipped.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";

const [mode, wasm, site] = process.argv.slice(2);
const release = mode === "release";
const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const pkg = path.join(site, "pkg");
const stamps = path.join(site, "built.json");
const brotli = promisify(zlib.brotliCompress);
fs.mkdirSync(pkg, { recursive: true });

const hash = (...parts) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest("hex").slice(0, 16);
const tools = hash(fs.readFileSync(path.join(root, "package-lock.json")), fs.readFileSync(new URL(import.meta.url)), mode);

/** Every file under a folder with its content: the inputs of a bundle. */
function tree(folder) {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => path.join(file.parentPath ?? file.path, file.name)).sort();
  return paths.flatMap((file) => [file.slice(folder.length), fs.readFileSync(file)]);
}

/** Writes `content` as `name` with its hash in it, and its brotli twin; returns the hashed name. */
async function put(name, content) {
  const { name: stem, ext } = path.parse(name);
  const hashed = `${stem}.${hash(content)}${ext}`;
  const quality = release ? zlib.constants.BROTLI_MAX_QUALITY : 4;
  const small = await brotli(content, {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: quality, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  // A reader sees the whole file or none: another clone's server may be sending from this folder.
  for (const [file, bytes] of [[hashed, content], [`${hashed}.br`, small]]) {
    fs.writeFileSync(path.join(pkg, `${file}.new`), bytes);
    fs.renameSync(path.join(pkg, `${file}.new`), path.join(pkg, file));
  }
  return hashed;
}

const bundle = (options) =>
  build({ bundle: true, write: false, minify: release, format: "esm", target: "es2022", legalComments: "none",
    logLevel: "warning", absWorkingDir: root, nodePaths: [path.join(root, "node_modules")], ...options });

// What rustc's WASM uses and every browser has had for years; wasm-opt takes less for granted.
const FEATURES = ["bulk-memory", "bulk-memory-opt", "mutable-globals", "multivalue", "nontrapping-float-to-int",
  "reference-types", "sign-ext"].map((feature) => `--enable-${feature}`);

/** wasm-bindgen's module as one file, and the module's WASM; the page tells the one where the other is. */
async function frontend() {
  const work = fs.mkdtempSync(path.join(site, "bindgen-"));
  try {
    // The pages beside the main way are a chunk of their own, which the link module fetches when it is wanted.
    execFileSync("wasm-split-cli", [wasm, work, "--target", "web", "--out-name", "frontend"]);
    const chunks = fs.readdirSync(work).filter((file) => file.endsWith(".wasm") && file !== "frontend.wasm");
    // What the chunks share with the module: its memory, its table.
    const flags = ["--keep-lld-exports", ...(release ? [] : ["--keep-debug"])];
    execFileSync("wasm-bindgen", ["--target", "web", "--no-typescript", "--out-name", "frontend", "--out-dir", work, ...flags,
      path.join(work, "frontend.wasm")]);
    const putWasm = (name, file) => {
      if (release) execFileSync("wasm-opt", ["-Oz", ...FEATURES, "--strip-debug", "--strip-producers", "-o", file, file], { stdio: "inherit" });
      return put(name, fs.readFileSync(file));
    };
    const names = { "frontend.wasm": await putWasm("frontend.wasm", path.join(work, "frontend_bg.wasm")) };
    for (const chunk of chunks) names[chunk] = await putWasm(chunk.replace("split_", ""), path.join(work, chunk));
    const bundled = await bundle({ entryPoints: [path.join(work, "frontend.js")], external: ["/pkg/*"] });
    let script = bundled.outputFiles[0].text;
    for (const chunk of chunks) script = script.replaceAll(`"./${chunk}"`, JSON.stringify(`./${names[chunk]}`));
    return { ...names, "frontend.js": await put("frontend.js", Buffer.from(script)) };
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

/** A stylesheet with its imports, and whatever it refers to (fonts, pictures) as hashed files beside it. */
async function style(entry, name) {
  const made = await bundle({ entryPoints: [entry], outdir: pkg, assetNames: "[name].[hash]",
    loader: { ".woff2": "file", ".svg": "file", ".png": "file" } });
  const names = {};
  for (const { path: file, contents } of made.outputFiles) {
    if (file.endsWith(".css")) {
      names[name] = await put(name, Buffer.from(contents));
    } else {
      fs.writeFileSync(file, contents);
      names[path.basename(file).replace(/\.[^.]+(\.\w+)$/, "$1")] = path.basename(file);
    }
  }
  return names;
}

/** The terminal's chunk: xterm and its addons, fetched only where a terminal is shown. */
async function terminal() {
  const made = await bundle({ entryPoints: [path.join(root, "crates/xterm-js-rs/js/xterm.js")], outdir: pkg });
  const of = (ext) => Buffer.from(made.outputFiles.find((file) => file.path.endsWith(ext)).contents);
  const names = { "xterm.js": await put("xterm.js", of(".js")) };
  if (made.outputFiles.some((file) => file.path.endsWith(".css"))) names["xterm.css"] = await put("xterm.css", of(".css"));
  return names;
}

const steps = {
  frontend: { inputs: () => [fs.readFileSync(wasm)], make: frontend },
  style: { inputs: () => tree(path.join(root, "style")), make: () => style(path.join(root, "style/main.css"), "main.css") },
  terminal: { inputs: () => tree(path.join(root, "crates/xterm-js-rs/js")), make: terminal },
};

const before = fs.existsSync(stamps) ? JSON.parse(fs.readFileSync(stamps)) : {};
const built = {};
const whole = (files) => Object.values(files).every((file) => fs.existsSync(path.join(pkg, file)));
for (const [name, step] of Object.entries(steps)) {
  const inputs = hash(tools, ...step.inputs());
  const was = before[name];
  built[name] = was?.inputs === inputs && whole(was.files) ? was : { inputs, files: await step.make() };
}
fs.cpSync(path.join(root, "public"), path.join(site, "public"), { recursive: true, preserveTimestamps: true });
const manifest = Object.assign({}, ...Object.values(built).map((step) => step.files));
for (const [file, content] of [[stamps, built], [path.join(site, "manifest.json"), manifest]]) {
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
}

// Files of earlier builds stay a week, for pages that are still open on them.
const current = new Set(Object.values(manifest).flatMap((file) => [file, `${file}.br`]));
for (const file of fs.readdirSync(pkg)) {
  const age = Date.now() - fs.statSync(path.join(pkg, file)).mtimeMs;
  if (!current.has(file) && age > 7 * 24 * 3600 * 1000) fs.rmSync(path.join(pkg, file));
}

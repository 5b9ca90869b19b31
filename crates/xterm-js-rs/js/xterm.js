// The terminal's one module: esbuild bundles it, a page import()s it only where a
// terminal is mounted. Classes go out as they are; the few functions below are what
// is easier said in JavaScript than through bindings.

import { ClipboardAddon } from "@xterm/addon-clipboard";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";

export { FitAddon } from "@xterm/addon-fit";
export { SearchAddon } from "@xterm/addon-search";
export { SerializeAddon } from "@xterm/addon-serialize";
export { WebglAddon } from "@xterm/addon-webgl";
export { Terminal } from "@xterm/xterm";

// What a program prints is not trusted: it may name web pages, nothing else, and the
// page that opens learns nothing of this one.
const follow = (_event, uri) => {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
};

/** Links in plain text, and those a program marks by itself (OSC 8). */
export const linksAddon = () => new WebLinksAddon(follow);
export const linkHandler = () => ({ activate: follow, allowNonHttpProtocols: false });

/** A program may put text on the clipboard (OSC 52) and never read what is there. */
export const clipboardAddon = () =>
  new ClipboardAddon(undefined, {
    readText: () => "",
    writeText: async (selection, text) => {
      // Refused when the page has no focus or no permission: not the program's business.
      if (selection === "c") await navigator.clipboard?.writeText(text).catch(() => {});
    },
  });

/**
 * Copies what is selected on Ctrl-Shift-C and Cmd-C, and on Ctrl-C too: without a selection
 * that still interrupts. Pasting needs nothing: xterm hears the browser's own paste.
 */
export const copyOnKeys = (terminal) =>
  terminal.attachCustomKeyEventHandler((event) => {
    const copies = event.code === "KeyC" && (event.ctrlKey || event.metaKey) && !event.altKey;
    if (event.type !== "keydown" || !copies || !terminal.hasSelection()) return true;
    event.preventDefault();
    navigator.clipboard?.writeText(terminal.getSelection()).catch(() => {});
    terminal.clearSelection();
    return false;
  });

/** Widths of characters as of Unicode 11, as the shells of today's systems count them. */
export const useUnicode11 = (terminal) => {
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
};

// xterm writes <style> elements, one of them through the global document whatever its
// option `documentOverride` says. Under a content security policy they pass by the page's
// nonce: so style elements that scripts make here carry it. (What markup brings does not.)
const nonce = document.querySelector("script[nonce]")?.nonce;
if (nonce) {
  const { createElement } = document;
  document.createElement = (name, options) => {
    const element = createElement.call(document, name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
}

/** Whether WebGL draws on a graphics card: done in software it is slower than the DOM. */
export const webglIsFast = () => {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  // Some browsers pass software off as a card and name it only through the extension.
  let card = gl.getParameter(gl.RENDERER);
  if (/^webkit webgl$/i.test(card)) {
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    if (info) card = gl.getParameter(info.UNMASKED_RENDERER_WEBGL);
  }
  // A page may have some sixteen contexts: this one is given back.
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(card);
};

const COLOURS = {
  background: "background",
  foreground: "foreground",
  cursor: "cursor",
  "cursor-accent": "cursorAccent",
  selection: "selectionBackground",
};
for (const name of ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]) {
  COLOURS[name] = name;
  COLOURS[`bright-${name}`] = `bright${name[0].toUpperCase()}${name.slice(1)}`;
}

/**
 * xterm's theme from the custom properties `--term-*` as they hold at `element`. A
 * property's text may be light-dark(…), so the browser is asked for the colour it comes to.
 */
export const themeOf = (element) => {
  const probe = element.ownerDocument.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const style = getComputedStyle(probe);
  const theme = {};
  for (const [property, key] of Object.entries(COLOURS)) {
    probe.style.color = "";
    probe.style.setProperty("color", `var(--term-${property})`);
    theme[key] = style.color;
  }
  probe.remove();
  return theme;
};

/** Done once the face is there: xterm measures its cells when it opens. Never fails. */
export const fontsReady = async (family, size) => {
  const faces = [`${size}px ${family}`, `bold ${size}px ${family}`];
  await Promise.allSettled(faces.map((face) => document.fonts.load(face)));
};

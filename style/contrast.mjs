// Computes the contrast of every pair of colours that text stands in, in both themes,
// from tokens.css itself; fails under WCAG's 4.5:1 (3:1 for lines that bound a control).
//   node style/contrast.mjs
import { readFileSync } from "node:fs";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");
const tokens = Object.fromEntries(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [name, { light, dark }]),
);

const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

const grounds = ["ground", "surface", "raised"];
const voices = ["claw", "awake", "asleep", "amber", "danger"];
const ansi = ["red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const pairs = [
  ...["ink", "ink-soft", ...voices].flatMap((text) => grounds.map((ground) => [text, ground, 4.5])),
  ...voices.flatMap((voice) => [[voice, `${voice}-wash`, 4.5], ["ink", `${voice}-wash`, 4.5], ["ink-soft", `${voice}-wash`, 4.5]]),
  ["on-claw", "claw-fill", 4.5],
  ["ground", "ink", 4.5],
  ...grounds.flatMap((ground) => [["line-strong", ground, 3], ["focus", ground, 3]]),
  ...["term-foreground", "term-bright-black", "term-bright-white", ...ansi.flatMap((name) => [`term-${name}`, `term-bright-${name}`])].map(
    (text) => [text, "term-background", 4.5],
  ),
  ["term-foreground", "term-selection", 4.5],
  ["term-cursor-accent", "term-cursor", 4.5],
];

let failed = 0;
for (const [text, ground, least] of pairs) {
  for (const theme of ["light", "dark"]) {
    const ratio = contrast(tokens[text][theme], tokens[ground][theme]);
    if (ratio < least) {
      failed += 1;
      console.error(`${theme}: ${text} on ${ground} is ${ratio.toFixed(2)}:1, needs ${least}:1`);
    }
  }
}
console.log(`${pairs.length * 2 - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

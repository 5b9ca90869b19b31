import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { agentOf, connected, signIn, sleep, spawn, words } from "../steps";

// Every page and state as axe sees it: both languages and themes, desktop and phone.

async function sound(page: Page, what: string) {
  const found = await new AxeBuilder({ page }).exclude(".xterm").analyze();
  const told = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n    ")}`);
  expect(told, what).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${what} does not scroll sideways`).toBeLessThanOrEqual(0);
}

const sights = [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "es", colorScheme: "light", width: 390 },
  { lang: "en", colorScheme: "light", width: 1280 },
  { lang: "en", colorScheme: "dark", width: 390 },
] as const;

for (const { lang, colorScheme, width } of sights) {
  const t = words[lang];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce", forgiven: [/404 \(Not Found\)/] });

    test("every page is sound", async ({ page, server }) => {
      await page.goto("/sign-in");
      await sound(page, "sign-in");
      await signIn(page, server, t);
      await sound(page, "no agents");
      await page.getByRole("button", { name: t.first }).click();
      await sound(page, "spawn dialog");
      await page.keyboard.press("Escape");
      await spawn(page, t, "de-prueba");
      await connected(page);
      await sound(page, "agent awake");
      await page.getByLabel(t.more).click();
      await sound(page, "agent's menu");
      await page.keyboard.press("Escape");
      await sleep(page, t);
      await sound(page, "agent asleep");
      const agent = agentOf(page);
      await page.goto("/");
      await expect(page.getByText("de-prueba")).toBeVisible();
      await sound(page, "agents");
      await page.goto("/settings");
      await page.getByRole("textbox").fill("ci");
      await page.keyboard.press("Enter");
      await expect(page.getByText("ocl_")).toBeVisible();
      await sound(page, "settings");
      await page.goto(`/agents/${agent.replace(/./g, "0")}`);
      await sound(page, "no such page");
    });
  });
}

import { expect, test } from "../fixtures";
import { agentOf, connected, makeToken, signIn, sleep, sound, spawn, wake, words } from "../steps";

// Every page and state as axe sees it: both languages and themes, desktop and phone.

const sights = [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "es", colorScheme: "light", width: 390 },
  { lang: "en", colorScheme: "light", width: 1280 },
  { lang: "en", colorScheme: "dark", width: 390 },
] as const;

for (const { lang, colorScheme, width } of sights) {
  const t = words[lang];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce", forgiven: [/404 \(Not Found\)|409 \(Conflict\)|WebSocket/] });

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
      await page.getByRole("button", { name: t.rename }).click();
      await sound(page, "rename dialog");
      await page.keyboard.press("Escape");
      await page.getByLabel(t.more).click();
      await page.getByRole("button", { name: t.remove }).click();
      await sound(page, "delete dialog");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: t.newTerminal }).click();
      await page.getByRole("button", { name: t.search }).click();
      await sound(page, "two terminals, searched");
      await page.keyboard.press("Escape");
      await sleep(page, t);
      await sound(page, "agent asleep");
      await wake(page, t);
      await connected(page);
      server.crash(agentOf(page));
      await expect(page.getByRole("alert").filter({ hasText: t.crashed })).toBeVisible();
      await sound(page, "agent fallen");
      const agent = agentOf(page);
      await page.goto("/");
      await expect(page.getByText("de-prueba")).toBeVisible();
      await sound(page, "agents");
      await makeToken(page);
      await sound(page, "settings");
      await page.goto(`/agents/${agent.replace(/./g, "0")}`);
      await sound(page, "no such page");
    });
  });
}

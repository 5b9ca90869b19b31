import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import type { Server } from "../server";
import { signIn, sound, words } from "../steps";

// Instants are told by the clock of who reads, and numbers as they write them.

/** An instant as a page tells it, by a clock that is so many minutes ahead of UTC. */
function told(at: Date, ahead: number) {
  const there = new Date(at.getTime() + ahead * 60_000).toISOString();
  return `, ${there.slice(11, 16)}`;
}

/** The latest act in the log: somebody was invited just now. */
async function invited(page: Page, server: Server, name: string) {
  await page.goto("/people");
  await page.locator(".page-head").getByRole("button").click();
  await page.getByRole("dialog").locator("input").first().fill(name);
  await page.getByRole("dialog").locator("button[type=submit]").click();
  await expect(page.getByRole("dialog").locator("code")).toBeVisible();
  await page.goto(`${server.url}/audit?act=invite`);
  const time = page.locator(".roll-row time").first();
  await expect(time).toBeVisible();
  return time;
}

for (const { timezoneId, ahead, locale } of [
  { timezoneId: "America/Mexico_City", ahead: -360, locale: "es-MX" },
  { timezoneId: "Asia/Kolkata", ahead: 330, locale: "es-ES" },
]) {
  test.describe(timezoneId, () => {
    test.use({ timezoneId, locale });

    test("what was done just now has the reader's hour", async ({ page, server, browser }) => {
      await signIn(page, server, words.es);
      const time = await invited(page, server, "Ana");
      const at = new Date((await time.getAttribute("datetime")) ?? "");
      expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(120_000);
      await expect(time).toContainText(told(at, ahead));
      await expect(time).not.toContainText("UTC");
      expect(await time.getAttribute("title")).toContain(`${told(at, 0)}:`);
      await sound(page, "the log");

      // Who has no script is told the hour of UTC, and that it is.
      const { cookies } = await page.context().storageState();
      const still = await browser.newContext({ baseURL: server.url, locale, timezoneId, javaScriptEnabled: false });
      await still.addCookies(cookies);
      const plain = await still.newPage();
      await plain.goto("/audit?act=invite");
      await expect(plain.locator(".roll-row time").first()).toContainText(`${told(at, 0)} UTC`);
      await still.close();

      // In a sentence too.
      await page.goto("/settings");
      await expect(page.locator("section[aria-labelledby=sessions-title]")).not.toContainText("UTC");
    });
  });
}

for (const { locale, lang, sum, hint } of [
  { locale: "es-MX", lang: "es-419", sum: "$12,345.50", hint: "12.50" },
  { locale: "es-ES", lang: "es", sum: "$12.345,50", hint: "12,50" },
  { locale: "en-US", lang: "en", sum: "$12,345.50", hint: "12.50" },
]) {
  test.describe(`numbers, ${locale}`, () => {
    test.use({ locale });

    test("a sum has the marks of the reader's region, also in the log", async ({ page, server }) => {
      await signIn(page, server, lang === "en" ? words.en : words.es);
      await expect(page.locator("html")).toHaveAttribute("lang", lang);
      await page.goto("/budgets");
      await page.locator(".page-head").getByRole("button").click();
      const dialog = page.getByRole("dialog");
      await expect(dialog).toContainText(hint);
      await dialog.locator("select").first().selectOption("fleet");
      const month = dialog.locator("input[name=month]");
      // A thousand in one region, one in the other: asked again wherever it is typed.
      await month.fill("12,345");
      await dialog.locator("button[type=submit]").click();
      await expect(dialog.getByRole("alert").filter({ hasText: /12345[.,]00/ })).toBeVisible();
      await month.fill("12345.5");
      await dialog.locator("button[type=submit]").click();
      await expect(page.locator("tbody tr").first()).toContainText(sum);

      // The log says who it is for, and how much.
      await page.goto("/audit?act=set_budget");
      const row = page.locator(".roll-row").first();
      await expect(row).toContainText(lang === "en" ? "The whole fleet" : "Toda la flota");
      await expect(row).toContainText(sum);
    });
  });
}

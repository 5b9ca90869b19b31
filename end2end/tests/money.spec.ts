import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { signIn, sound, words } from "../steps";

// What the pages of money, people and the fleet look like to axe: a fleet with a month behind it,
// both languages and themes, desktop and phone.

const labels = {
  es: { table: "Verlo como tabla", new: "Nuevo presupuesto", who: "De quién", month: /^Al mes, en dólares/, save: "Guardar" },
  en: { table: "See it as a table", new: "New budget", who: "Whose", month: /^A month, in dollars/, save: "Save" },
} as const;

const sights = [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "es", colorScheme: "light", width: 390 },
  { lang: "en", colorScheme: "light", width: 1280 },
  { lang: "en", colorScheme: "dark", width: 390 },
] as const;

/** A page of the site as it stands. */
async function look(page: Page, path: string) {
  await page.goto(path);
  await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
  await sound(page, path);
}

for (const { lang, colorScheme, width } of sights) {
  const [t, l] = [words[lang], labels[lang]];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce", serverArgs: ["--demo"] });

    test("the pages of who looks after all of it are sound", async ({ page, server }, testInfo) => {
      test.slow(); // twenty pages and states, each looked through by axe
      await signIn(page, server, t);
      for (const path of ["/spend", "/spend?month=2026-03", "/spend?of=fleet&by=option", "/spend?of=fleet&by=size", "/spend?of=fleet&by=team"]) {
        await look(page, path);
      }
      await look(page, "/spend?of=fleet");
      await page.getByText(l.table).click();
      await sound(page, "the days as a table");

      await look(page, "/budgets");
      await page.getByRole("button", { name: l.new }).click();
      const dialog = page.getByRole("dialog");
      await sound(page, "a new budget");
      await dialog.getByLabel(l.who).selectOption("fleet");
      await dialog.getByLabel(l.month).fill("400");
      await dialog.getByRole("button", { name: l.save }).click();
      await expect(page.getByText(/\$400/).first()).toBeVisible();
      await sound(page, "budgets");
      await page.screenshot({ path: testInfo.outputPath("budgets.png"), fullPage: true });

      for (const path of ["/people", "/audit", "/settings", "/stage", "/spend?of=fleet"]) await look(page, path);
      await look(page, "/fleet");
      await page.locator(".fleet-name").first().click();
      await expect(dialog.locator(".timeline li")).not.toHaveCount(0);
      await sound(page, "an agent's drawer");

      // On paper it is dark on white, and nothing is there to be pressed.
      await page.goto("/spend?of=fleet");
      await page.emulateMedia({ media: "print", colorScheme });
      await expect(page.getByRole("button")).toHaveCount(0);
      expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("light");
      await page.screenshot({ path: testInfo.outputPath("print.png"), fullPage: true });
    });
  });
}

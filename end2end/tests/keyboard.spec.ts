import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { asleep, connected, rows, words } from "../steps";

// All of the main way without a mouse.

test.use({ locale: "es-ES" });
const t = words.es;

/** Goes on (or back) by the tabulator until it is there. */
async function reach(page: Page, wanted: Locator, key: "Tab" | "Shift+Tab" = "Tab") {
  await expect(wanted).toBeVisible();
  for (let steps = 0; steps < 30; steps += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${wanted} is not reached by ${key}`);
}

test("sign in, spawn, type, leave the terminal, rename, sleep, wake", async ({ page, server }) => {
  await page.goto(server.signInLink);
  await reach(page, page.getByRole("button", { name: t.first }));
  await page.keyboard.press("Enter");

  // A name is suggested, and gives way to what is typed.
  const name = page.getByRole("dialog").getByRole("textbox", { name: t.name });
  await expect(name).toBeFocused();
  await expect(name).not.toHaveValue("");
  await page.keyboard.type("sin ratón");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "sin ratón", exact: true })).toBeVisible();

  await connected(page);
  const terminal = page.locator(".terminal textarea").first();
  await expect(terminal).toBeFocused();
  await page.keyboard.type("echo cuatro-$((2+2))\n");
  await expect(rows(page)).toContainText("cuatro-4");

  // The tabulator is the program's, F6 leaves; Enter on the tab goes back in.
  await page.keyboard.press("Tab");
  await expect(terminal).toBeFocused();
  await page.keyboard.press("F6");
  const tab = page.getByRole("tab", { selected: true });
  await expect(tab).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(terminal).toBeFocused();
  await page.keyboard.press("F6");

  // Escape closes a dialog, and whoever opened it is where they were.
  const menu = page.locator(".bench-head").getByLabel(t.more);
  await reach(page, menu, "Shift+Tab");
  await page.keyboard.press("Enter");
  await reach(page, page.getByRole("button", { name: t.rename }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("textbox")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(menu).toBeFocused();

  await reach(page, page.locator(".bench-head").getByRole("button", { name: t.sleep }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await asleep(page);
  await reach(page, page.locator(".scene").getByRole("button", { name: t.wake }));
  await page.keyboard.press("Enter");
  await connected(page);
});

test("terminals are changed by arrows, and searched", async ({ page, server }) => {
  await page.goto(server.signInLink);
  await page.getByRole("button", { name: t.first }).click();
  await page.keyboard.press("Enter"); // as it is suggested
  await connected(page);
  await page.keyboard.type("echo ven-$((40+2))\n");
  await expect(rows(page)).toContainText("ven-42");

  await page.getByRole("button", { name: t.newTerminal }).click();
  const second = page.getByRole("tab", { name: "terminal 2" });
  await expect(second).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("F6");
  await expect(second).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  const first = page.getByRole("tab", { name: "terminal 1" });
  await expect(first).toBeFocused();
  await expect(first).toHaveAttribute("aria-selected", "true");

  await reach(page, page.getByRole("button", { name: t.search }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("ven-42");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(page.locator("#screen-0 textarea")).toBeFocused();
});

import { expect, test } from "../fixtures";
import { asleep, connected, meter, rows, seenPhases, signIn, sleep, sound, spawn, type, wake, watchPhases, words } from "../steps";

// The main way, as a person takes it: a real browser, the real server, a real sandbox.

for (const lang of ["es", "en"] as const) {
  const t = words[lang];
  test.describe(`the main way, ${lang}`, () => {
    test.use({ locale: t.locale, serverArgs: ["--idle-timeout", "20"], colorScheme: lang === "es" ? "dark" : "light" });

    test("sign in, spawn, type, reload, idle to sleep, wake: everything in place", async ({ page, server }) => {
      await watchPhases(page);
      await signIn(page, server, t);
      await expect(page.locator("html")).toHaveAttribute("lang", lang);
      const answer = await page.request.get("/");
      expect(answer.headers()["content-security-policy"]).toMatch(/script-src 'self' 'nonce-[^']+' 'wasm-unsafe-eval'/);
      expect(answer.headers()["content-security-policy"]).not.toMatch(/script-src[^;]*unsafe-inline/);

      await spawn(page, t, "Ñandú 🦞");
      await connected(page);
      const phases = await seenPhases(page);
      expect(phases.length, `phases seen: ${phases}`).toBeGreaterThanOrEqual(4);
      for (const phase of t.phases.slice(0, 4)) expect(phases.join()).toContain(phase);

      await type(page, "echo cuatro-$((2+2)); echo kept > file", "cuatro-4");
      await page.setViewportSize({ width: 500, height: 700 });
      await type(page, "clear; echo cols=$(tput cols)", /cols=\d+/);
      const narrow = Number(/cols=(\d+)/.exec(await rows(page).innerText())?.[1]);
      await page.setViewportSize({ width: 1280, height: 800 });
      await expect
        .poll(async () => {
          await type(page, "clear; echo cols=$(tput cols)", /cols=\d+/);
          return Number(/cols=(\d+)/.exec(await rows(page).innerText())?.[1]);
        })
        .toBeGreaterThan(narrow);

      await type(page, "export HERE=still", "HERE=still");
      await page.reload();
      await connected(page);
      await type(page, "echo $HERE-here", "still-here");

      // The meter ticks by the rate: seconds × rate.
      const [before, started] = [await meter(page), Date.now()];
      await page.waitForTimeout(3000);
      const [after, seconds] = [await meter(page), (Date.now() - started) / 1000];
      const hourly = 0.003875;
      expect(after - before).toBeGreaterThan((hourly / 3600) * seconds * 0.8);
      expect(after - before).toBeLessThan((hourly / 3600) * seconds * 1.3);

      // Left alone it warns, saves and sleeps. The open tab is no use.
      await expect(page.getByRole("button", { name: t.keep })).toBeVisible({ timeout: 30_000 });
      await sound(page, "agent about to sleep");
      await asleep(page);
      const still = await meter(page);
      await page.waitForTimeout(1200);
      expect(await meter(page)).toBe(still);

      await wake(page, t);
      await connected(page);
      await type(page, "cat file", "kept");
    });
  });
}

test.describe("around the main way", () => {
  test.use({ locale: "es-ES" });
  const t = words.es;

  test("rename, sleep by hand, delete by its name", async ({ page, server }) => {
    await signIn(page, server, t);
    await spawn(page, t, "efímero");
    await connected(page);
    await page.getByLabel(t.more).click();
    await page.getByRole("button", { name: t.rename }).click();
    const rename = page.getByRole("dialog");
    await rename.getByRole("textbox").fill("duradero");
    await rename.getByRole("button", { name: t.save }).click();
    await expect(page.getByRole("heading", { level: 1, name: "duradero" })).toBeVisible();
    await sleep(page, t);
    await page.getByLabel(t.more).click();
    await page.getByRole("button", { name: t.remove }).click();
    const remove = page.getByRole("dialog");
    const really = remove.getByRole("button", { name: t.reallyRemove, exact: true });
    await remove.getByRole("textbox").fill("otro");
    await expect(really).toBeDisabled();
    await remove.getByRole("textbox").fill("duradero");
    await really.click();
    await page.waitForURL("/");
    await expect(page.getByRole("button", { name: t.first })).toBeVisible();
  });
});

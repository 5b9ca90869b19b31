import { expect, test } from "../fixtures";
import { asleep, connected, signIn, sleep, sound, spawn, type, wake, words } from "../steps";

// The guided script of docs/demo.md, minute by minute, as a presenter gives it: by the keyboard on
// the big screen, and one cue from a phone.

const t = words.es;
// That waking is refused, the browser's console tells too.
test.use({ locale: t.locale, serverArgs: ["--demo"], forgiven: [/409 \(Conflict\)/] });
test.setTimeout(240_000);

test("the whole script, by the keyboard and from a phone", async ({ page, browser, server }) => {
  const mark = page.getByRole("complementary", { name: "DEMO" });
  const panel = page.getByRole("region", { name: "Panel" });
  const figure = (name: string) => panel.locator("div", { has: page.getByText(name, { exact: true }) }).locator("dd");
  const count = async (name: string) => Number(await figure(name).innerText());
  const focus = async () => {
    await expect(mark.getByRole("button", { name: /Panel/ })).toBeVisible();
    if (!(await panel.isVisible())) await page.keyboard.press("F9");
    // Keys are heard wherever in the panel the focus is.
    await expect.poll(() => panel.evaluate((panel) => panel.contains(document.activeElement))).toBe(true);
  };

  await test.step("0: a fleet that is at work, whatever the hour is here", async () => {
    await signIn(page, server, t);
    await expect(mark.locator(".demo-time")).toContainText("10:0");
    await focus();
    await expect.poll(() => count("despiertos")).toBeGreaterThan(4);
    expect(await count("dormidos")).toBeGreaterThan(9);
  });

  await test.step("1: one wakes, phase by phase", async () => {
    await page.keyboard.press("1");
    await panel.getByRole("link", { name: "Verlo" }).click();
    await page.waitForURL(/\/agents\/[0-9a-z]{16}$/);
    await expect(page.getByRole("heading", { name: t.loader })).toBeVisible();
    await expect(page.locator(".phase[data-step='doing']")).toHaveCount(1);
  });

  await test.step("2: time runs, and what nobody uses sleeps by itself", async () => {
    await focus();
    for (const speed of ["10×", "60×"]) {
      await page.keyboard.press("+");
      await expect(mark.locator(".demo-time")).toContainText(`· ${speed}`);
    }
    await expect(page.locator(".state").first()).toContainText("Despierto", { timeout: 30_000 });
    await asleep(page);
  });

  await test.step("3: Spot takes one back, and it goes on", async () => {
    await page.goto(server.url);
    await focus();
    await page.keyboard.press("1");
    await expect(panel.getByRole("status")).toContainText("un agente");
    await panel.getByRole("link", { name: "Verlo" }).click();
    await expect(page.locator(".state").first()).toContainText("Despierto", { timeout: 30_000 });
    await focus();
    await page.keyboard.press("2");
    await expect(panel.getByRole("status")).toContainText("un agente");
    await panel.getByRole("link", { name: "Verlo" }).click();
    await expect(page.locator(".state").first()).toContainText("Despierto", { timeout: 30_000 });
    await expect(page.getByText("Se perdió lo último.")).toHaveCount(0);
  });

  await test.step("4 and 5: a burst, and everybody to sleep, from a phone", async () => {
    const context = await browser.newContext({
      baseURL: server.url, locale: t.locale, viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true,
    });
    const phone = await context.newPage();
    await phone.goto(server.linkFor("presenter"));
    await expect(phone.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
    await phone.goto("/stage");
    const remote = phone.getByRole("main").getByRole("region", { name: "Panel" });
    await sound(phone, "the remote");
    await focus();
    await remote.getByRole("button", { name: /Ráfaga/ }).tap();
    await expect(remote.getByRole("status")).toContainText("100 agentes");
    await expect.poll(() => count("despiertos"), { timeout: 60_000 }).toBeGreaterThan(99);
    await remote.getByRole("button", { name: /Duerme la flota/ }).tap();
    await expect.poll(() => count("dormidos"), { timeout: 60_000 }).toBeGreaterThan(150);
    await context.close();
  });

  await test.step("5: a budget is used up, waking is refused, and the month shows it", async () => {
    await page.goto(server.url);
    await focus();
    await page.keyboard.press("5");
    await expect(page.getByText("Has usado tu presupuesto de este mes")).toBeVisible();
    await sound(page, "the budget that is used up");
    await page.keyboard.press("1");
    await expect(page.locator(".toast").first()).toContainText("Puede ampliarlo quien administra");
    await page.keyboard.press("F9");
    await page.getByRole("link", { name: "Ver el gasto" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Gasto" })).toBeVisible();
    await expect(page.getByText("Has usado tu presupuesto de este mes")).toHaveCount(0);
    await sound(page, "the month");
    await focus();
  });

  await test.step("6: and this one is real", async () => {
    await panel.getByRole("button", { name: "Esta máquina" }).click();
    await expect(mark).toContainText("agentes de verdad");
    await spawn(page, t, "de verdad");
    await connected(page);
    await type(page, "echo sigo-$((40+2)) > nota; cat nota", "sigo-42");
    await sleep(page, t);
    await wake(page, t);
    await connected(page);
    await type(page, "cat nota", "sigo-42");
  });

  await test.step("7: from the start again", async () => {
    await page.goto(`${server.url}/stage`);
    const remote = page.getByRole("main").getByRole("region", { name: "Panel" });
    await remote.getByRole("button", { name: "La flota simulada" }).click();
    await expect(mark).toContainText("flota simulada");
    await focus();
    await page.keyboard.press("0");
    await expect(mark.locator(".demo-time")).toContainText("10:00 · 1×");
  });
});

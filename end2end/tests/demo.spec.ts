import { expect, test } from "../fixtures";
import { connected, signIn, sound, spawn, type, words } from "../steps";

// A presenter's run through the script: the fleet by keys, then a real terminal, then the start again.

const t = words.es;
test.use({ locale: t.locale, serverArgs: ["--demo"] });

test("a presenter's run, by the keyboard", async ({ page, server }) => {
  const mark = page.getByRole("complementary", { name: "DEMO" });
  await page.goto(server.url);
  await expect(mark).toBeVisible();

  await signIn(page, server, t);
  const time = mark.locator(".demo-time");
  const opener = mark.getByRole("button", { name: /Panel/ });
  await expect(mark).toContainText("flota simulada");
  await expect(opener).toBeVisible();
  await page.keyboard.press("F9");
  const panel = page.getByRole("region", { name: "Panel" });
  await expect(panel).toBeFocused();
  const figure = (name: string) => panel.locator("div", { has: page.getByText(name, { exact: true }) }).locator("dd");
  await expect(figure("dormidos")).toHaveText(/^\d+$/);
  await sound(page, "the panel");

  for (const speed of ["10×", "60×"]) {
    await page.keyboard.press("+");
    await expect(time).toContainText(`· ${speed}`);
  }
  await page.keyboard.press("1");
  await expect(panel.getByRole("status")).toContainText("un agente");
  await panel.getByRole("link", { name: "Verlo" }).click();
  await page.waitForURL(/\/agents\/[0-9a-z]{16}$/);
  await expect(page.locator(".state")).toContainText("Despierto");
  await page.goto(server.url);

  await expect(opener).toBeVisible();
  await page.keyboard.press("F9");
  await expect(panel).toBeFocused();
  await page.keyboard.press("4");
  await expect(panel.getByRole("status")).toContainText("100 agentes");
  await expect.poll(async () => Number(await figure("despiertos").innerText())).toBeGreaterThan(99);
  await page.keyboard.press("3");
  await expect.poll(async () => Number(await figure("dormidos").innerText())).toBeGreaterThan(150);
  await page.keyboard.press("F9");
  await expect(panel).toBeHidden();

  await opener.click();
  await panel.getByRole("button", { name: "Esta máquina" }).click();
  await expect(mark).toContainText("agentes de verdad");
  await spawn(page, t, "de verdad");
  await connected(page);
  await type(page, "echo cuatro-$((2+2))", "cuatro-4");

  // As from a phone.
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(`${server.url}/stage`);
  const remote = page.getByRole("main").getByRole("region", { name: "Panel" });
  await sound(page, "the panel");
  await remote.getByRole("button", { name: "La flota simulada" }).click();
  await page.goto(`${server.url}/stage`);
  await remote.getByRole("button", { name: /Empezar de nuevo/ }).click();
  await expect(time).toContainText("· 1×");
  await expect
    .poll(async () => {
      const all = await remote.locator("dd").allInnerTexts();
      return all.slice(0, 4).reduce((sum, count) => sum + Number(count), 0);
    })
    .toBe(100);
});

test("another show that begins is seen on every screen, whoever had it begin", async ({ page, browser, server }) => {
  await signIn(page, server, t);
  const mark = page.getByRole("complementary", { name: "DEMO" });
  const context = await browser.newContext({ baseURL: server.url, locale: t.locale });
  const phone = await context.newPage();
  await phone.goto(server.linkFor("presenter"));
  await expect(phone.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
  await phone.goto("/stage");
  const remote = phone.getByRole("main").getByRole("region", { name: "Panel" });
  const again = async () => {
    await remote.getByRole("button", { name: "600×" }).click();
    await expect(mark.locator(".demo-time")).toContainText("· 600×");
    const show = await page.locator("html").getAttribute("data-show");
    await remote.getByRole("button", { name: /Empezar de nuevo/ }).click();
    await expect(page.locator("html")).not.toHaveAttribute("data-show", show ?? "");
    await expect(mark.locator(".demo-time")).toContainText("10:00 · 1×");
  };
  // What one cue changes is shown, and then is as it was at first.
  const resting = page.locator('.ticket:has(.state[data-state="asleep"])');
  const before = await resting.count();
  await remote.getByRole("button", { name: /Agota tu presupuesto/ }).click();
  await expect(page.getByText("Has usado tu presupuesto de este mes")).toBeVisible();
  await expect.poll(() => resting.count()).toBeGreaterThan(before);
  await again();
  await expect(page.getByText("Has usado tu presupuesto de este mes")).toHaveCount(0);
  await expect.poll(() => resting.count()).toBe(before);
  const agent = await page.locator(".ticket a").first().getAttribute("href");
  for (const path of [agent ?? "", "/fleet", "/spend", "/stage"]) {
    await page.goto(path);
    await again();
    expect(new URL(page.url()).pathname).toBe(path);
  }
  await context.close();
});

test("the whole of it in English: a budget that is used up is told where one's agents are", async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url, locale: words.en.locale });
  const page = await context.newPage();
  await signIn(page, server, words.en);
  const panel = page.getByRole("region", { name: "Panel" });
  await expect(page.getByRole("complementary", { name: "DEMO" })).toContainText("a simulated fleet");
  await page.keyboard.press("F9");
  await expect(panel).toBeFocused();
  await page.keyboard.press("5");
  await expect(page.getByText("You have used up this month's budget")).toBeVisible();
  await page.keyboard.press("4");
  await expect(panel.getByRole("status")).toContainText(/Done: \d\d agents/);
  await sound(page, "a used-up budget, in English");
  await context.close();
});

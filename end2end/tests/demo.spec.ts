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

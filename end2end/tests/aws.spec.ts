import { Cloud } from "../cloud";
import { expect, test as base } from "../fixtures";
import { connected, rows, seenPhases, signIn, sleep, sound, spawn, type, wake, watchPhases, words } from "../steps";

// The main way again, on the engine that runs in an AWS account.

const t = words.es;
const test = base.extend<{ cloud: Cloud }>({
  cloud: async ({}, use) => {
    const cloud = new Cloud();
    try {
      await cloud.start();
      await use(cloud);
    } finally {
      await cloud.remove();
    }
  },
  serverEnvironment: async ({ cloud }, use) => use(cloud.environment),
});
test.use({ locale: "es-ES" });

test("on Fargate: its phases, the terminal, Spot taking it back, sleep in S3, wake", async ({ page, server, cloud }, testInfo) => {
  await watchPhases(page);
  await signIn(page, server, t);
  await spawn(page, t, "lejano", "precio de lista");
  await connected(page);
  const phases = (await seenPhases(page)).join();
  for (const phase of ["Conectando su red", "Trayendo su imagen", "Arrancando su contenedor"]) expect(phases).toContain(phase);
  await expect(page.locator(".receipt")).toContainText("precio de lista");
  await type(page, "echo cuatro-$((2+2)); echo kept > file", "cuatro-4");

  await cloud.interrupt();
  // How long the machine is still there, then the loader's short form over what was on the screen.
  await expect(page.getByText(/recupera esta máquina en\s+[12]:\d\d/)).toBeVisible();
  await page.screenshot({ path: testInfo.outputPath("countdown.png") });
  await expect(page.getByRole("heading", { name: "Cambiando de máquina" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Despertando a tu Agente" })).toHaveCount(0);
  await expect(rows(page)).toContainText("cuatro-4");
  await page.screenshot({ path: testInfo.outputPath("moving.png") });
  await connected(page);
  await type(page, "echo again-$(cat file)", "again-kept");
  await expect(page.getByRole("heading", { name: "Cambiando de máquina" })).toHaveCount(0);
  // What was there before is above.
  await page.keyboard.press("Shift+PageUp");
  await expect(rows(page)).toContainText("cuatro-4");

  await sleep(page, t);
  await wake(page, t);
  await connected(page);
  await type(page, "cat file", "kept");
  await expect(rows(page)).toContainText("kept");
});

test.describe("in English, on a phone, in the dark", () => {
  const t = words.en;
  test.use({
    locale: t.locale, colorScheme: "dark", viewport: { width: 390, height: 844 },
    serverArgs: ["--on-demand", "when-spot-is-full"],
    forgiven: [/409 \(Conflict\)|WebSocket/],
  });

  test("no room on Spot, paid for on demand; what a crash cost is told until it was seen", async ({ page, server, cloud }, testInfo) => {
    await cloud.full(true);
    await signIn(page, server, t);
    await spawn(page, t, "dear", "list price");
    const pay = page.getByRole("button", { name: /On demand, at \$/ });
    await expect(pay).toBeVisible();
    await sound(page, "no room");
    await page.screenshot({ path: testInfo.outputPath("no-room.png"), fullPage: true });
    await pay.click();
    await connected(page);
    await expect(page.locator(".facts")).toContainText("where there is no room");
    await type(page, "echo $((40+2))-in-all", "42-in-all");

    await cloud.crash();
    await page.getByRole("button", { name: /Restart|Try again/ }).click();
    await connected(page);
    const loss = page.getByRole("alert").filter({ hasText: "The last of it is lost." });
    await expect(loss).toContainText(/what changed in its last \d/);
    await sound(page, "what was lost");
    await page.screenshot({ path: testInfo.outputPath("lost.png"), fullPage: true });
    await loss.getByRole("button", { name: "Understood" }).click();
    await expect(loss).toHaveCount(0);
    await page.reload();
    await connected(page);
    await expect(loss).toHaveCount(0);
    await page.getByRole("button", { name: "Withdraw" }).click();
    await expect(page.locator(".facts")).not.toContainText("where there is no room");
  });
});

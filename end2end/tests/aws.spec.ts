import { Cloud } from "../cloud";
import { expect, test as base } from "../fixtures";
import { connected, rows, seenPhases, signIn, sleep, spawn, type, wake, watchPhases, words } from "../steps";

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

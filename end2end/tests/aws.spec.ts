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

test("on Fargate: its phases, the terminal, Spot taking it back, sleep in S3, wake", async ({ page, server, cloud }) => {
  await watchPhases(page);
  await signIn(page, server, t);
  await spawn(page, t, "lejano", "precio de lista");
  await connected(page);
  const phases = (await seenPhases(page)).join();
  for (const phase of ["Conectando su red", "Trayendo su imagen", "Arrancando su contenedor"]) expect(phases).toContain(phase);
  await expect(page.locator(".receipt")).toContainText("precio de lista");
  await type(page, "echo cuatro-$((2+2)); echo kept > file", "cuatro-4");

  await cloud.interrupt();
  await expect(page.locator('[data-link="connected"]')).toHaveCount(0);
  await connected(page);
  await type(page, "echo again-$(cat file)", "again-kept");

  await sleep(page, t);
  await wake(page, t);
  await connected(page);
  await type(page, "cat file", "kept");
  await expect(rows(page)).toContainText("kept");
});

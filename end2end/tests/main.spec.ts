import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import type { Server } from "../server";

// The main way, as a person takes it: a real browser, the real server, a real sandbox.

const words = {
  es: {
    locale: "es-ES", agents: "Mis agentes", first: "Crear mi primer agente", name: "Nombre", wake: "Despertar",
    loader: "Despertando a tu Agente ☕", connected: "conectado", reconnecting: /reconectando|Reconectando/,
    sleep: "Dormir", asleep: "Dormido", keep: "Seguir despierto", estimate: "estimado", bill: "La cuenta",
    phases: ["En la cola", "Preparando su máquina", "Presentándose", "Trayendo sus cosas", "Abriendo la terminal"],
    more: /^Más de/, rename: "Cambiar nombre", save: "Guardar", remove: "Eliminar…", confirm: "Para confirmar, escribe",
    reallyRemove: "Eliminar",
  },
  en: {
    locale: "en-GB", agents: "My agents", first: "Create my first agent", name: "Name", wake: "Wake",
    loader: /Waking/, connected: "connected", reconnecting: /reconnecting|Reconnecting/,
    sleep: "Sleep", asleep: "Asleep", keep: "Keep awake", estimate: "estimate", bill: "The bill",
    phases: [], more: /^More/, rename: "Rename", save: "Save", remove: "Delete…", confirm: "To confirm, type",
    reallyRemove: "Delete",
  },
} as const;

/** Notes every phase that the loader shows as begun, from the page's first moment on. */
async function watchPhases(page: Page) {
  await page.addInitScript(() => {
    const seen = new Set<string>();
    (window as unknown as { seenPhases: Set<string> }).seenPhases = seen;
    const look = () => {
      for (const line of document.querySelectorAll<HTMLElement>(".phase")) {
        if (["done", "doing"].includes(line.dataset.step ?? "")) {
          seen.add(line.querySelector(".phase-name")?.textContent?.trim() ?? line.textContent ?? "");
        }
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
  });
}
const seenPhases = (page: Page) =>
  page.evaluate(() => [...(window as unknown as { seenPhases: Set<string> }).seenPhases]);

async function signIn(page: Page, server: Server, t: (typeof words)["es" | "en"]) {
  await page.goto(server.signInLink);
  await expect(page.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
  expect(page.url()).not.toContain("#");
}

async function spawn(page: Page, t: (typeof words)["es" | "en"], name: string) {
  await page.getByRole("button", { name: t.first }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: t.name }).fill(name);
  await dialog.getByRole("radio").first().check();
  await expect(dialog.locator(".dialog-price")).toContainText("0");
  await expect(dialog.locator(".dialog-price")).toContainText(t.estimate);
  await dialog.getByRole("button", { name: t.wake }).click();
  await page.waitForURL(/\/agents\/[0-9a-z]{16}$/);
}

const rows = (page: Page) => page.locator(".xterm-rows").first();

async function connected(page: Page) {
  await expect(page.locator('[data-link="connected"]').first()).toBeVisible({ timeout: 30_000 });
  await expect(rows(page)).toBeVisible();
}

async function type(page: Page, command: string, wanted: string | RegExp) {
  await page.locator(".terminal-host").first().click();
  await page.keyboard.type(`${command}\n`);
  await expect(rows(page)).toContainText(wanted);
}

/** The session's sum, in dollars. */
async function meter(page: Page) {
  const text = await page.locator(".receipt-total dd").innerText();
  return Number(text.replace(/[^\d.,]/g, "").replace(",", "."));
}

for (const lang of ["es", "en"] as const) {
  const t = words[lang];
  test.describe(`the main way, ${lang}`, () => {
    test.use({ locale: t.locale, serverArgs: ["--idle-timeout", "20"] });

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
      await expect(page.locator('.state[data-state="asleep"]').first()).toBeVisible({ timeout: 60_000 });
      const still = await meter(page);
      await page.waitForTimeout(1200);
      expect(await meter(page)).toBe(still);

      await page.locator(".scene").getByRole("button", { name: t.wake }).click();
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
    await page.locator(".bench-head").getByRole("button", { name: t.sleep }).click();
    await expect(page.locator('.state[data-state="asleep"]').first()).toBeVisible();
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

  test.describe("with the server killed", () => {
    test.use({ forgiven: [/ERR_|WebSocket|Failed to (fetch|load)|EventSource|net::/] });
    test("the terminal says that it reconnects, and goes on where it was", async ({ page, server }) => {
      await signIn(page, server, t);
      await spawn(page, t, "tenaz");
      await connected(page);
      await type(page, "export HERE=still", "HERE=still");
      await server.stop("SIGKILL");
      await expect(page.locator('[data-link="connected"]')).toHaveCount(0);
      await expect(page.getByText(t.reconnecting).first()).toBeVisible();
      await server.start();
      await connected(page);
      await type(page, "echo $HERE-here", "still-here");
    });
  });
});

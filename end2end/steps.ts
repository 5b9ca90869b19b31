import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import type { Server } from "./server";

// What people do and see, in their words.

export const words = {
  es: {
    locale: "es-ES", agents: "Mis agentes", first: "Crear mi primer agente", name: "Nombre", wake: "Despertar",
    loader: "Despertando a tu Agente ☕", connected: "conectado", reconnecting: /reconectando|Reconectando/,
    sleep: "Dormir", asleep: "Dormido", keep: "Seguir despierto", estimate: "estimado", bill: "La cuenta",
    phases: ["En la cola", "Preparando su máquina", "Presentándose", "Trayendo sus cosas", "Abriendo la terminal"],
    more: /^Más de/, rename: "Cambiar nombre", save: "Guardar", remove: "Eliminar…", confirm: "Para confirmar, escribe",
    reallyRemove: "Eliminar", crashed: "Terminó de golpe", restart: "Reiniciar desde lo guardado", lost: "Aquí no hay mesa",
    newTerminal: "Nueva terminal", search: "Buscar",
  },
  en: {
    locale: "en-GB", agents: "My agents", first: "Create my first agent", name: "Name", wake: "Wake",
    loader: /Waking/, connected: "connected", reconnecting: /reconnecting|Reconnecting/,
    sleep: "Sleep", asleep: "Asleep", keep: "Keep awake", estimate: "estimate", bill: "The bill",
    phases: [], more: /^More/, rename: "Rename", save: "Save", remove: "Delete…", confirm: "To confirm, type",
    reallyRemove: "Delete", crashed: "It ended abruptly", restart: "Restart from what was saved", lost: "There is no table here",
    newTerminal: "New terminal", search: "Search",
  },
} as const;
export type Words = (typeof words)[keyof typeof words];

/** Notes every phase that the loader shows as begun, from the page's first moment on. */
export async function watchPhases(page: Page) {
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
export const seenPhases = (page: Page) =>
  page.evaluate(() => [...(window as unknown as { seenPhases: Set<string> }).seenPhases]);

export async function signIn(page: Page, server: Server, t: Words) {
  await page.goto(server.signInLink);
  await expect(page.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
  expect(page.url()).not.toContain("#");
}

export async function spawn(page: Page, t: Words, name: string, price: string = t.estimate) {
  await page.getByRole("button", { name: t.first }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: t.name }).fill(name);
  await dialog.getByRole("radio").first().check();
  await expect(dialog.locator(".dialog-price")).toContainText("0");
  await expect(dialog.locator(".dialog-price")).toContainText(price);
  await dialog.getByRole("button", { name: t.wake }).click();
  await page.waitForURL(/\/agents\/[0-9a-z]{16}$/);
}

export const rows = (page: Page) => page.locator(".xterm-rows").first();

export async function connected(page: Page) {
  await expect(page.locator('[data-link="connected"]').first()).toBeVisible({ timeout: 30_000 });
  await expect(rows(page)).toBeVisible();
}

export async function type(page: Page, command: string, wanted: string | RegExp) {
  await page.locator(".terminal-host").first().click();
  await page.keyboard.type(`${command}\n`);
  await expect(rows(page)).toContainText(wanted);
}

/** The session's sum, in dollars. */
export async function meter(page: Page) {
  const text = await page.locator(".receipt-total dd").innerText();
  return Number(text.replace(/[^\d.,]/g, "").replace(",", "."));
}

/** The id of the agent whose page this is. */
export const agentOf = (page: Page) => /\/agents\/([0-9a-z]{16})/.exec(page.url())?.[1] ?? "";

export async function asleep(page: Page) {
  await expect(page.locator('.state[data-state="asleep"]').first()).toBeVisible({ timeout: 60_000 });
}

export async function sleep(page: Page, t: Words) {
  await page.locator(".bench-head").getByRole("button", { name: t.sleep }).click();
  await asleep(page);
}

export async function wake(page: Page, t: Words) {
  await page.locator(".scene").getByRole("button", { name: t.wake }).click();
}

/** Nothing that axe finds, and nothing wider than the page. */
export async function sound(page: Page, what: string) {
  const found = await new AxeBuilder({ page }).exclude(".xterm").analyze();
  const told = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n    ")}`);
  expect(told, what).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${what} does not scroll sideways`).toBeLessThanOrEqual(0);
}

/** Makes an API token in the settings, and reads it the one time that it is shown. */
export async function makeToken(page: Page) {
  await page.goto("/settings");
  await page.locator("#token-name").fill("ci");
  await page.keyboard.press("Enter");
  await expect(page.getByText("ocl_")).toBeVisible();
  return page.getByText("ocl_").innerText();
}

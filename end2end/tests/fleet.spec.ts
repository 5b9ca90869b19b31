import type { Browser, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { makeToken, signIn, sound, words } from "../steps";
import type { Server } from "../server";

// An admin's day with everybody's agents, and a user who sees none of it.

const fleet = {
  es: { title: "Flota", money: "Gasto", account: "Tu cuenta", search: "Nombre o identificador", owner: "De quién", sleep: "Dormirlos", all: /^Elegir los \d/, inView: "Elegir los que se ven", happened: "Lo que pasó", close: "Cerrar", undo: "Deshacer", stop: "Pararlos", drain: /^Vaciar «/, reallyDrain: "Vaciar", draining: /se está vaciando/, boots: "Arranque", phase: "Fase", saves: "Lo guardado", stuck: /^Atascados/, team: "Equipo", isolation: "Aislamiento", log: "Registro", daemon: /demonio.*enrolled/ },
  en: { title: "Fleet", money: "Spend", account: "Your account", search: "Name or id", owner: "Owner", sleep: "Put to sleep", all: /^Select all \d/, inView: "Select those in view", happened: "What happened", close: "Close", undo: "Undo", stop: "Stop", drain: /^Drain “/, reallyDrain: "Drain", draining: /is being drained/, boots: "Boot", phase: "Phase", saves: "What was saved", stuck: /^Stuck/, team: "Team", isolation: "Isolation", log: "Log", daemon: /daemon.*enrolled/ },
} as const;

/** A person on a page of their own, with a token. */
async function person(browser: Browser, server: Server, name: string) {
  const context = await browser.newContext({ baseURL: server.url, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(server.linkFor(name));
  await expect(page.getByRole("heading", { level: 1, name: words.en.agents })).toBeAttached();
  return { context, page, token: await makeToken(page) };
}

async function spawnMany(server: Server, token: string, names: string[]) {
  for (const name of names) {
    const answer = await fetch(`${server.url}/api/v1/agents/spawn`, {
      method: "POST", body: JSON.stringify({ name, size: "nano" }),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    expect(answer.status, await answer.text()).toBe(202);
  }
}

const rows = (page: Page) => page.locator(".fleet-row");
const states = (page: Page, state: string) => page.locator(`.fleet-row .state[data-state="${state}"]`);

for (const { lang, colorScheme, width } of [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "en", colorScheme: "light", width: 390 },
] as const) {
  const [t, f] = [words[lang], fleet[lang]];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce" });

    test("an admin filters the fleet and puts it to sleep", async ({ page, browser, server }) => {
      await signIn(page, server, t);
      const token = await makeToken(page);
      await spawnMany(server, token, ["casa", "taller"]);
      const ana = await person(browser, server, "ana");
      await spawnMany(server, ana.token, ["de-ana"]);

      await page.goto("/");
      await page.getByLabel(f.account).click();
      await page.getByRole("link", { name: f.title }).click();
      await expect(page.getByRole("heading", { level: 1, name: f.title })).toBeVisible();
      await expect(rows(page)).toHaveCount(3);
      await expect(states(page, "running")).toHaveCount(3, { timeout: 60_000 });
      await sound(page, "fleet");

      // The filter is in the address, and holds after a reload.
      await page.getByRole("textbox", { name: f.owner }).fill("ana");
      await expect(rows(page)).toHaveCount(1);
      await expect(page).toHaveURL(/\?owner=ana$/);
      await page.reload();
      await expect(rows(page)).toHaveCount(1);
      await expect(rows(page)).toContainText("de-ana");
      await page.getByRole("button", { name: "de-ana", exact: true }).click();
      const drawer = page.getByRole("dialog");
      await expect(drawer.getByRole("heading", { name: f.happened })).toBeVisible();
      await expect(drawer.locator(".waterfall tbody tr")).not.toHaveCount(0);
      // What the house said of it, and nothing of its owner's.
      await expect(drawer.getByRole("heading", { name: f.log, exact: true })).toBeVisible();
      await expect(drawer.locator(".journal li").filter({ hasText: f.daemon })).toHaveCount(1);
      await sound(page, "an agent's drawer");
      await drawer.getByRole("button", { name: f.close }).click();
      await page.getByRole("textbox", { name: f.owner }).fill("");
      await expect(rows(page)).toHaveCount(3);

      // Teams, of which the list learns while somebody looks on.
      server.command("user", "team", "ana", "Ventas");
      await page.getByRole("textbox", { name: f.team }).fill("Ventas");
      await expect(page).toHaveURL(/\?team=Ventas$/);
      await expect(rows(page)).toHaveCount(1, { timeout: 15_000 });
      await expect(rows(page)).toContainText(/ana\s+Ventas/);
      await sound(page, "of a team");
      await page.getByRole("textbox", { name: f.team }).fill("");
      await expect(rows(page)).toHaveCount(3);
      if (width > 800) {
        const isolation = page.getByRole("columnheader").filter({ has: page.getByRole("button", { name: f.isolation }) });
        await isolation.getByRole("button").click();
        await expect(isolation).toHaveAttribute("aria-sort", "ascending");
        await expect(page).toHaveURL(/sort=tier/);
        await expect(rows(page).first().locator('[data-column="4"]')).not.toHaveText("–");
        await page.goto("/fleet");
      }

      await page.getByRole("searchbox", { name: f.search }).fill("a");
      await rows(page).first().getByRole("checkbox").check();
      await sound(page, "one is selected");
      await page.getByRole("button", { name: f.all }).click();
      await page.getByRole("button", { name: f.sleep }).click();
      await expect(states(page, "asleep")).toHaveCount(3, { timeout: 60_000 });
      await sound(page, "all asleep");

      // It is in the log, by whom and on whom.
      const log = server.command("audit", "export").trim().split("\n").map((line) => JSON.parse(line));
      const slept = log.filter((entry) => entry.act === "put_agent_to_sleep");
      expect(slept.length).toBe(3);
      expect(slept.every((entry) => entry.actor.name === "owner" && entry.outcome === "allowed")).toBe(true);
      const ask = (what: string) => fetch(`${server.url}/api/v1/${what}`, { headers: { authorization: `Bearer ${token}` } });
      const listed = await (await ask("fleet?state=asleep&owner=ana&sort=-cost")).json();
      expect([listed.total, listed.health.asleep, listed.agents[0].name]).toEqual([1, 3, "de-ana"]);
      expect(await (await ask("audit")).text()).toBe(server.command("audit", "export"));

      // Elsewhere in the house an order is not forgotten.
      if (width > 800) {
        await page.locator(".rooms").getByRole("link", { name: f.money }).click();
        await expect(page.locator(".spend-total")).toBeVisible();
        await page.locator(".rooms").getByRole("link", { name: f.title }).click();
      }
      // What was put to sleep wakes again; what was asleep before would not.
      await page.getByRole("button", { name: f.undo }).click();
      await expect(states(page, "running")).toHaveCount(3, { timeout: 60_000 });

      // Where boots take their time, and what wants a look.
      const boots = page.locator(".fleet-boots");
      await boots.locator("summary").click();
      await expect(boots.getByRole("columnheader", { name: f.phase })).toBeVisible();
      await sound(page, "boots by phase");
      await page.getByRole("button", { name: f.stuck }).click();
      await expect(page).toHaveURL(/trouble=stuck/);
      await expect(rows(page)).toHaveCount(0);
      await page.getByRole("button", { name: f.stuck }).click();
      await expect(rows(page)).toHaveCount(3);
      await page.getByRole("button", { name: "casa", exact: true }).click();
      await expect(drawer.getByRole("heading", { name: f.saves })).toBeVisible();
      await drawer.getByRole("button", { name: f.close }).click();

      // Drained: all sleep, nothing new is launched; and the way back.
      await page.getByRole("button", { name: f.drain }).click();
      await sound(page, "the question before a drain");
      await page.getByRole("dialog").getByRole("button", { name: f.reallyDrain, exact: true }).click();
      await expect(page.getByText(f.draining)).toBeVisible();
      await expect(states(page, "asleep")).toHaveCount(3, { timeout: 60_000 });
      await sound(page, "drained");
      const refused = await fetch(`${server.url}/api/v1/agents/spawn`, {
        method: "POST", body: JSON.stringify({ name: "tarde", size: "nano" }),
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
      expect(refused.status).toBe(503);
      await page.getByRole("button", { name: f.undo }).click();
      await expect(page.getByText(f.draining)).toHaveCount(0);
      await expect(states(page, "running")).toHaveCount(3, { timeout: 60_000 });
      await ana.context.close();
    });
  });
}

test.describe("without a role", () => {
  test.use({ forgiven: [/40[34] \(/] });

  test("a user sees no fleet; a viewer looks and changes nothing, and no longer once the role is gone", async ({ browser, server }) => {
    const { context, page, token } = await person(browser, server, "ana");
    await spawnMany(server, token, ["de-ana"]);
    await page.getByLabel(fleet.en.account).click();
    await expect(page.getByRole("link", { name: fleet.en.title })).toHaveCount(0);
    await page.goto("/fleet");
    await expect(page.getByRole("heading", { name: words.en.lost })).toBeVisible();

    server.command("user", "role", "ana", "viewer");
    await page.goto("/fleet");
    await expect(rows(page)).toHaveCount(1);
    await expect(page.getByRole("checkbox")).toHaveCount(0);
    server.command("user", "role", "ana", "user");
    await page.waitForURL(`${server.url}/`);
    await context.close();
  });
});

test.describe("a long list", () => {
  // Nothing of them ever runs: they fall at their first step.
  test.use({ serverArgs: ["--agent", "/bin/false"] });

  test("only the window travels, and the list scrolls to its end", async ({ page, browser, server }) => {
    await signIn(page, server, words.en);
    const name = (n: number) => `agent ${String(n).padStart(3, "0")}`;
    await spawnMany(server, await makeToken(page), Array.from({ length: 100 }, (_, n) => name(n)));
    const ana = await person(browser, server, "ana");
    await spawnMany(server, ana.token, Array.from({ length: 60 }, (_, n) => name(100 + n)));
    await page.goto("/fleet");
    await expect(rows(page).first()).toContainText(name(0));
    expect(await rows(page).count()).toBeLessThanOrEqual(60);
    const table = page.getByRole("table");
    await expect(table).toHaveAttribute("aria-rowcount", "161");

    // In the middle there are rows, each in its place, from edge to edge.
    const list = page.locator(".fleet-scroll");
    const blank = () => list.evaluate((list) => {
      const { top, bottom, left } = list.getBoundingClientRect();
      const head = list.querySelector(".fleet-head")?.getBoundingClientRect().bottom ?? top;
      const at = (y: number) => document.elementFromPoint(left + 80, y)?.closest(".fleet-row");
      const places = Array.from({ length: 20 }, (_, n) => head + 2 + ((bottom - head - 4) * n) / 19);
      return places.filter((y) => !at(y)).length;
    });
    await list.evaluate((list) => list.scrollTo(0, (list.scrollHeight - list.clientHeight) / 2));
    await expect(page.getByText(name(80))).toBeInViewport();
    await expect.poll(blank).toBe(0);
    const shown = await rows(page).evaluateAll((rows) =>
      rows.map((row) => [Number(row.getAttribute("aria-rowindex")), row.querySelector(".fleet-name")?.textContent?.trim()]));
    for (const [place, agent] of shown) expect(agent).toBe(name(Number(place) - 2));
    // At a person's pace none is missing on the way back up either.
    const missed = await list.evaluate((list) => new Promise<number>((done) => {
      const [from, began] = [list.scrollTop, performance.now()];
      let missed = 0;
      const step = (now: number) => {
        list.scrollTop = from - (now - began) * 0.8;
        const { top, bottom, left } = list.getBoundingClientRect();
        if (!document.elementFromPoint(left + 80, (top + bottom) / 2)?.closest(".fleet-row")) missed++;
        if (list.scrollTop > 0) requestAnimationFrame(step);
        else done(missed);
      };
      requestAnimationFrame(step);
    }));
    expect(missed).toBe(0);
    await page.locator(".fleet-scroll").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await expect(page.getByText(name(159))).toBeInViewport();
    expect(await rows(page).count()).toBeLessThanOrEqual(60);
    await expect(page.getByRole("row").last()).toHaveAttribute("aria-rowindex", "161");
    await ana.context.close();
  });
});

import * as fs from "node:fs";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { asleep, connected, makeToken, signIn, sound, spawn, type, wake, words } from "../steps";

// Who looks after everybody's agents and money, and who runs into the limit that they set.

const admin = {
  es: {
    awake: /^Despiertos/, sleep: "Dormirlos", all: /^Elegir los \d/, done: /^Pedido a \d/, fleet: "Toda la flota", stack: "Apilado por",
    day: "Día que se lee; las flechas pasan de uno a otro", csv: "Exportar CSV", table: "Verlo como tabla", budgets: "Presupuestos", new: "Nuevo presupuesto",
    who: "De quién", name: "Nombre", month: /^Al mes, en dólares/, save: "Guardar", change: "Cambiar", gave: "Dar un presupuesto",
    twoWays: "Escribe 1000 o 1000,00", noSum: "No es una cantidad en dólares",
    usedUp: /Has usado tu presupuesto de este mes/, slept: /Se guardó y duerme porque se usó el presupuesto/,
    refused: /El presupuesto de este mes está usado.*Puede ampliarlo quien administra/,
  },
  en: {
    awake: /^Awake/, sleep: "Put to sleep", all: /^Select all \d/, done: /^Asked of \d/, fleet: "The whole fleet", stack: "Stacked by",
    day: "The day that is read; arrow keys move on", csv: "Export CSV", table: "See it as a table", budgets: "Budgets", new: "New budget",
    who: "Whose", name: "Name", month: /^A month, in dollars/, save: "Save", change: "Change", gave: "Give a budget",
    twoWays: "Write 1000 or 1000.00", noSum: "That is no sum in dollars",
    usedUp: /You have used up this month's budget/, slept: /It was saved and sleeps because the budget/,
    refused: /This month's budget is used up.*An administrator can raise it/,
  },
} as const;

/** The billionths of a dollar in an amount as it is shown, and how many of them its last digit stands for. */
function shown(text: string) {
  const digits = text.replace(/[^\d.,]/g, "");
  const decimals = /[.,](\d+)$/.exec(digits)?.[1].length ?? 0;
  const last = 10 ** (9 - decimals);
  return { nanos: Number(digits.replace(/[.,]/g, "")) * last, last };
}

test.describe("a fleet with a month behind it", () => {
  const [t, a] = [words.es, admin.es];
  test.use({ locale: t.locale, serverArgs: ["--demo"], reducedMotion: "reduce" });

  test("an admin's day: the fleet, its money, a budget, and the log of it", async ({ page, server }) => {
    await signIn(page, server, t);

    // The fleet: what the address asks for, then what a tile does.
    await page.goto("/fleet?owner=presenter&sort=-cost");
    const rows = page.locator(".fleet-row");
    await expect(rows.first()).toContainText("presenter");
    await expect(rows.filter({ hasNotText: "presenter" })).toHaveCount(0);
    await page.goto("/fleet?provider=simulated&sort=-cost");
    const state = (word: string) => page.locator(`.fleet-row .state:not([data-state="${word}"])`);
    const tile = page.getByRole("button", { name: a.awake });
    await tile.click();
    await expect(page).toHaveURL(/state=awake/);
    await expect(page).toHaveURL(/provider=simulated/);
    await expect(tile).toHaveAttribute("aria-pressed", "true");
    await expect(rows).not.toHaveCount(0);
    await expect(state("running")).toHaveCount(0);
    await page.reload();
    await expect(state("running")).toHaveCount(0);

    // All of them are put to sleep, and it is told how that went.
    await rows.first().getByRole("checkbox").check();
    await page.getByRole("button", { name: a.all }).click();
    await page.getByRole("button", { name: a.sleep }).click();
    const report = page.locator(".fleet-report");
    await expect(report.getByRole("progressbar")).toBeVisible();
    await expect(report.getByRole("status")).toHaveText(a.done);
    await expect(rows).toHaveCount(0);
    await sound(page, "all are asleep");

    // Everybody's money, by another stack, day by day.
    await page.goto("/spend");
    await page.getByRole("link", { name: a.fleet }).click();
    await expect(page).toHaveURL(/of=fleet/);
    await expect(page.locator(".spend-ranking")).toHaveCount(2); // people are ranked in the fleet's alone
    const legend = page.locator(".legend");
    const before = await legend.innerText();
    // What was asked of the calculator stays as the month is drawn anew.
    const agents = page.locator(".calculator").getByRole("spinbutton").first();
    await agents.fill("7");
    const asked = await page.locator(".calculator-total").innerText();
    const table = page.locator(".chart-table");
    await table.locator("summary").click();
    await page.getByLabel(a.stack).selectOption("size");
    await expect(page).toHaveURL(/of=fleet&by=size/);
    await expect(legend).not.toHaveText(before);
    await expect(agents).toHaveValue("7");
    await expect(page.locator(".calculator-total")).toHaveText(asked);
    await expect(table).toHaveAttribute("open");
    const day = page.getByRole("slider", { name: a.day });
    await day.focus();
    const today = await day.getAttribute("aria-valuetext");
    await page.keyboard.press("ArrowLeft");
    await expect(day).not.toHaveAttribute("aria-valuetext", today ?? "");
    await page.keyboard.press("Home");
    await expect(day).toHaveAttribute("aria-valuenow", "1");
    await expect(page.locator(".chart-said")).toHaveText((await day.getAttribute("aria-valuetext")) ?? "");

    // The file's lines add up to what is shown before and after it was made.
    const total = async () => shown(await page.locator(".spend-total").innerText());
    const earlier = await total();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: a.csv }).click()]);
    expect(file.suggestedFilename()).toMatch(/^openclaw-cloud-fleet-\d{4}-\d\d\.csv$/);
    const [head, ...lines] = fs.readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => line.split(","));
    const usd = head.indexOf("usd");
    const sum = lines.reduce((sum, line) => sum + Math.round(Number(line[usd]) * 1e9), 0);
    await page.reload();
    const later = await total();
    expect(lines.length).toBeGreaterThan(100);
    expect(sum).toBeGreaterThanOrEqual(earlier.nanos - earlier.last);
    expect(sum).toBeLessThanOrEqual(later.nanos + later.last);

    // A limit for all, given and raised.
    await page.goto("/budgets");
    await page.getByRole("button", { name: a.new }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(a.who).selectOption("fleet");
    // What may be read as one dollar or as a thousand is asked again.
    for (const text of ["1,000", "1.000", "mil"]) {
      await dialog.getByLabel(a.month).fill(text);
      await dialog.getByRole("button", { name: a.save }).click();
      await expect(dialog.getByRole("alert").filter({ hasText: text === "mil" ? a.noSum : a.twoWays })).toBeVisible();
      await expect(dialog.getByLabel(a.month)).toBeFocused();
    }
    await sound(page, "a budget that can't be read");
    await dialog.getByLabel(a.month).fill("4000");
    await dialog.getByRole("button", { name: a.save }).click();
    const row = page.getByRole("row", { name: a.fleet });
    await expect(row).toContainText(/4\D?000,00/);
    await row.getByRole("button", { name: a.change }).click();
    await dialog.getByLabel(a.month).fill("5000,50");
    await dialog.getByRole("button", { name: a.save }).click();
    await expect(row).toContainText(/5\D?000,50/);
    await sound(page, "budgets");

    await page.goto("/audit?act=set_budget");
    await expect(page.getByRole("row").filter({ hasText: a.gave })).toHaveCount(2);
    await sound(page, "the log of budgets");
  });
});

/** What an administrator asks of the API. */
async function put(url: string, token: string, what: object) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(url, { method: "PUT", body: JSON.stringify(what), headers });
  expect(answer.status, await answer.text()).toBe(204);
}

/** What is said at the foot of the page. */
const toast = (page: Page) => page.locator(".toast").first();

for (const { lang, colorScheme, width } of [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "en", colorScheme: "light", width: 390 },
] as const) {
  const [t, a] = [words[lang], admin[lang]];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    // That it is refused, the browser's console tells too.
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce", forgiven: [/409 \(Conflict\)/] });

    test("who has used up their budget is saved, sleeps, is told so, and wakes when it is raised", async ({ page, browser, server }) => {
      const owner = await browser.newContext({ baseURL: server.url, locale: "en-GB" });
      const office = await owner.newPage();
      await signIn(office, server, words.en);
      const token = await makeToken(office);

      await page.goto(server.linkFor("ana"));
      await spawn(page, t, "casa");
      await connected(page);
      await type(page, "echo kept > file; echo wri''tten", "written");
      const agent = page.url();
      // A page that is open is told by itself.
      const list = await page.context().newPage();
      await list.goto("/");
      await expect(list.getByRole("link", { name: "casa" })).toBeVisible();

      // A ten-thousandth of a cent: what runs has cost more the next time it is looked at.
      const budget = `${server.url}/api/v1/budgets/people/ana`;
      await put(budget, token, { month: 1_000 });
      await asleep(page);
      await expect(page.getByText(a.slept)).toBeVisible();
      await sound(page, "asleep for want of budget");
      await expect(list.getByText(a.usedUp)).toBeVisible();
      await sound(list, "agents and the budget that is used up");

      await page.goto(agent);
      await wake(page, t);
      await expect(toast(page)).toHaveText(a.refused);
      await sound(page, "refused");
      await expect(page.locator('.state[data-state="asleep"]').first()).toBeVisible();

      await put(budget, token, { month: 5_000_000_000 });
      await wake(page, t);
      await connected(page);
      await type(page, "cat file", "kept");
      await list.bringToFront();
      await expect(list.getByText(a.usedUp)).toHaveCount(0);
      await owner.close();
    });
  });
}

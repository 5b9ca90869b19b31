import type { Browser, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { agentOf, connected, signIn, sound, spawn, type, words } from "../steps";

// Somebody is invited, sets a password and comes in by it; an administrator looks after people,
// reads the log, and looks into a terminal only as long as its owner lets them.

const people = {
  es: {
    account: "Tu cuenta", title: "Personas", invite: "Invitar", name: "Nombre", role: "Rol", team: "Equipo", welcome: /[Bb]ienvenid/,
    newPassword: "Contraseña nueva", setPassword: "Guardar contraseña", password: "Contraseña", enter: "Entrar", wrong: /no van juntos/,
    closeAccess: "Cerrar el acceso", openAccess: "Abrir el acceso", accessClosed: "acceso cerrado",
    sessions: "Tus sesiones", endOthers: "Cerrar las demás", change: "Rol y equipo…", of: "Rol y equipo de Ana", save: "Guardar", changed: "Guardado: Ana.",
    audit: "Auditoría", person: "Persona", filter: "Filtrar", invited: "Invitar: Ana", close: "Cerrar", leave: "Salir",
  },
  en: {
    account: "Your account", title: "People", invite: "Invite", name: "Name", role: "Role", team: "Team", welcome: /Welcome/,
    newPassword: "New password", setPassword: "Save password", password: "Password", enter: "Sign in", wrong: /don't go together/,
    closeAccess: "Close access", openAccess: "Open access", accessClosed: "access closed",
    sessions: "Your sessions", endOthers: "End the others", change: "Role and team…", of: "Role and team of Ana", save: "Save", changed: "Saved: Ana.",
    audit: "Audit log", person: "Person", filter: "Filter", invited: "Invite: Ana", close: "Close", leave: "Sign out",
  },
} as const;
const password = "correcto, caballo";

/** Another person's browser. */
async function another(browser: Browser, baseURL: string, locale: string): Promise<Page> {
  return (await browser.newContext({ baseURL, locale })).newPage();
}

for (const { lang, colorScheme, width } of [
  { lang: "es", colorScheme: "dark", width: 1280 },
  { lang: "en", colorScheme: "light", width: 390 },
] as const) {
  const [t, p] = [words[lang], people[lang]];
  test.describe(`${lang}, ${colorScheme}, ${width} px`, () => {
    // A password that is wrong is refused, which the browser's console tells.
    test.use({ locale: t.locale, colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce", forgiven: [/401/] });

    test("an invitation becomes a person, who comes in by a password", async ({ page, browser, server }) => {
      await signIn(page, server, t);
      await page.getByLabel(p.account).click();
      await page.getByRole("link", { name: p.title }).click();
      await expect(page.getByRole("heading", { level: 1, name: p.title })).toBeVisible();
      await page.getByRole("button", { name: p.invite }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel(p.name).fill("Ana");
      await dialog.getByLabel(p.role).selectOption("viewer");
      await dialog.getByLabel(p.team).fill("Datos");
      await sound(page, "inviting");
      await dialog.getByRole("button", { name: p.invite }).click();
      const link = await dialog.locator("code").innerText();
      await dialog.getByRole("button", { name: p.close }).last().click();
      await expect(page.locator(".list")).toContainText("Ana");
      await sound(page, "people");

      const hers = await another(browser, server.url, t.locale);
      await hers.goto(link);
      await expect(hers.getByRole("heading", { level: 1, name: p.welcome })).toBeVisible();
      await sound(hers, "welcome");
      await hers.getByLabel(p.newPassword).fill(password);
      await hers.getByRole("button", { name: p.setPassword }).click();
      await expect(hers.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();

      // Elsewhere, by her name: once wrong, then right.
      const elsewhere = await another(browser, server.url, t.locale);
      await elsewhere.goto("/sign-in");
      await elsewhere.getByLabel(p.name).fill("Ana");
      await elsewhere.getByLabel(p.password, { exact: true }).fill("another, as long");
      await elsewhere.getByRole("button", { name: p.enter }).click();
      await expect(elsewhere.getByText(p.wrong)).toBeVisible();
      await elsewhere.getByLabel(p.password, { exact: true }).fill(password);
      await elsewhere.keyboard.press("Enter");
      await expect(elsewhere.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
      await elsewhere.goto("/settings");
      const sessions = elsewhere.locator("section", { has: elsewhere.getByRole("heading", { name: p.sessions }) });
      await expect(sessions.getByRole("listitem")).toHaveCount(2);
      await sound(elsewhere, "settings");
      await sessions.getByRole("button", { name: p.endOthers }).click();
      await expect(sessions.getByRole("listitem")).toHaveCount(1);
      // The other browser is out without being touched.
      await expect(hers.getByRole("button", { name: p.enter })).toBeVisible();

      // Her role and team are changed; the log has all of it.
      await page.reload();
      const row = page.getByRole("row", { name: /Ana/ });
      await expect(row).toContainText("Datos");
      await row.getByLabel(p.of).click();
      await row.getByRole("button", { name: p.change }).click();
      await page.getByRole("dialog").getByLabel(p.role).selectOption("operator");
      await page.getByRole("dialog").getByLabel(p.team).fill("");
      await page.getByRole("dialog").getByRole("button", { name: p.save }).click();
      await expect(page.getByText(p.changed)).toBeVisible();
      await expect(row).not.toContainText("Datos");
      await expect(page.getByRole("dialog")).toHaveCount(0);

      // She is kept out, and let in again.
      await row.getByLabel(p.of).click();
      await row.getByRole("button", { name: p.closeAccess }).click();
      await sound(page, "closing access");
      await page.getByRole("dialog").getByRole("button", { name: p.closeAccess }).click();
      await expect(row).toContainText(p.accessClosed);
      await row.getByLabel(p.of).click();
      await row.getByRole("button", { name: p.openAccess }).click();
      await expect(row).not.toContainText(p.accessClosed);
      await page.goto("/audit");
      await expect(page.getByRole("row")).not.toHaveCount(1);
      await page.getByRole("textbox", { name: p.person }).fill("Ana");
      await page.getByRole("button", { name: p.filter }).click();
      await expect(page).toHaveURL(/person=Ana/);
      await expect(page.getByRole("row").filter({ hasText: p.invited })).toHaveCount(1);
      await sound(page, "audit");
      const csv = await page.request.get(await page.getByRole("link", { name: "CSV" }).getAttribute("href") ?? "");
      expect(await csv.text()).toContain('"invite","Ana"');
    });
  });
}

test("a terminal is looked into as long as its owner lets it be", async ({ page, browser, server }) => {
  const t = words.en;
  await signIn(page, server, t);
  const hers = await another(browser, server.url, t.locale);
  await hers.goto(server.linkFor("Ana"));
  await spawn(hers, t, "casa");
  await connected(hers);
  await type(hers, "echo mine$((2+2))", "mine4");
  const agent = agentOf(hers);

  await page.goto(`/fleet?q=${agent}`);
  await page.getByRole("button", { name: "casa" }).click();
  await page.getByRole("button", { name: "Ask to see the terminal" }).click();
  await expect(page.getByText("Waiting for an answer")).toBeVisible();
  await expect(hers.getByText("owner asks to see your terminal")).toHaveCount(1);
  await sound(hers, "being asked");
  // Wherever else she is, too, once she is there and while she stays.
  await hers.goto("/settings");
  const asked = hers.getByRole("region", { name: "Notices" });
  await expect(asked).toContainText("owner asks to see your terminal · casa");
  await sound(hers, "being asked elsewhere");
  await asked.getByRole("button", { name: "No" }).click();
  await expect(asked).toHaveCount(0);
  await hers.getByRole("link", { name: "My agents" }).first().click();
  await page.getByRole("button", { name: "Ask to see the terminal" }).click();
  await expect(asked).toContainText("owner asks to see your terminal · casa");
  await sound(hers, "being asked at one's agents");
  await asked.getByRole("link", { name: "casa" }).click();
  await connected(hers);
  await expect(hers.getByText("owner asks to see your terminal")).toHaveCount(1);
  await hers.getByRole("button", { name: "Let them look" }).click();
  await expect(hers.getByText("owner is looking at your terminal")).toBeVisible();
  await sound(hers, "being looked at");

  await page.getByRole("link", { name: "See the terminal" }).click();
  await connected(page);
  await expect(page.locator(".xterm-rows")).toContainText("mine4");
  await sound(page, "looking");
  await page.locator(".terminal-host").click();
  await page.keyboard.type("echo taken$((3+3))\n");
  await type(hers, "echo again$((2+3))", "again5");
  await expect(page.locator(".xterm-rows")).toContainText("again5");
  expect(await hers.locator(".xterm-rows").innerText()).not.toContain("taken");

  await hers.getByRole("button", { name: "Cut off" }).click();
  await expect(page.getByText("It is over")).toBeVisible({ timeout: 3_000 });
  await expect(hers.getByText("is looking at your terminal")).toHaveCount(0);
});

import { expect, test } from "../fixtures";
import { signIn, words } from "../steps";

// What looks ready is ready: what is pressed before the page's WebAssembly has come is done once it has.

// A name that nobody has is refused, which the browser's console tells.
test.use({ locale: "es-ES", forgiven: [/401 \(Unauthorized\)/] });
const t = words.es;

test.beforeEach(async ({ page }) => {
  await page.route(/\.wasm$/, async (route) => {
    await new Promise((go) => setTimeout(go, 2000));
    await route.continue();
  });
});

test("a button that is pressed too early opens its dialog all the same, once", async ({ page, server }) => {
  await signIn(page, server, t);
  // A new page, whose start is certain to be awaited.
  await page.reload({ waitUntil: "commit" });
  const first = page.getByRole("button", { name: t.first });
  await first.click();
  await first.click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a form that is filled in and sent too early is sent as it was filled in", async ({ page, server }) => {
  await page.goto("/sign-in", { waitUntil: "commit" });
  await page.locator("#name").fill("nadie");
  await page.locator("#password").fill("una contraseña larga");
  const asked = page.waitForRequest(/\/api\/console\/sign_in_with_password/);
  await page.locator("#password").press("Enter");
  expect((await asked).postDataJSON()).toMatchObject({ name: "nadie", password: "una contraseña larga" });
  // Nothing of it is in the address, and it can be sent again as it stands.
  expect(page.url()).toBe(`${server.url}/sign-in`);
  await expect(page.locator("#name")).toHaveValue("nadie");
});

test.describe("what can't be fetched", () => {
  test.use({ forgiven: [/Failed to load resource|wasm|fetch/] });

  test("says so, and the way out of it works", async ({ page, server }) => {
    await page.route(/\/beside\./, (route) => route.abort());
    await signIn(page, server, t);
    // The page lives: what is pressed now is not a new page's.
    await page.getByRole("button", { name: t.first }).click();
    await page.getByRole("dialog").press("Escape");
    await page.getByRole("navigation").getByRole("link", { name: "Gasto" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Se nos cayó la bandeja");
    await page.unroute(/\/beside\./);
    await page.getByRole("link", { name: "Probar otra vez" }).click();
    await expect(page.getByRole("heading", { level: 1, name: t.agents })).toBeAttached();
    await page.getByRole("navigation").getByRole("link", { name: "Gasto" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Gasto" })).toBeVisible();
  });
});

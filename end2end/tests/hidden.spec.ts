import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { agentOf, asleep, connected, signIn, sleep, spawn, words } from "../steps";

// A tab in the background: it costs the others nothing, and misses nothing.

test.use({ locale: "es-ES" });
const t = words.es;

/** Headless pages are always seen; this one says otherwise. */
async function hide(page: Page, hidden: boolean) {
  await page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden ? "hidden" : "visible");
}

/** Counts the feeds that a page holds. */
async function countFeeds(page: Page) {
  await page.addInitScript(() => {
    const feeds: EventSource[] = [];
    (window as unknown as { feeds: EventSource[] }).feeds = feeds;
    window.EventSource = class extends EventSource {
      constructor(url: string | URL) {
        super(url);
        feeds.push(this);
      }
    };
  });
}
const feeds = (page: Page) =>
  page.evaluate(() => {
    const all = (window as unknown as { feeds: EventSource[] }).feeds;
    return all.filter((feed) => feed.readyState !== EventSource.CLOSED).length;
  });

test("it holds no feed, and shows how things are once it is seen again", async ({ page, server }) => {
  await countFeeds(page);
  await page.clock.install();
  await signIn(page, server, t);
  await spawn(page, t, "de fondo");
  await connected(page);
  await expect.poll(() => feeds(page)).toBe(1);
  await hide(page, true);
  await page.clock.fastForward("00:20");
  expect(await feeds(page)).toBe(1);
  await page.clock.fastForward("00:20");
  await expect.poll(() => feeds(page)).toBe(0);

  const other = await page.context().newPage();
  await other.goto(`/agents/${agentOf(page)}`);
  await sleep(other, t);
  await expect(page.locator('.state[data-state="running"]').first()).toBeVisible();
  await hide(page, false);
  await asleep(page);
  await expect.poll(() => feeds(page)).toBe(1);

  // In the list an agent that went meanwhile is gone.
  await page.goto("/");
  await expect(page.getByText("de fondo")).toBeVisible();
  await hide(page, true);
  await page.clock.fastForward("01:00");
  await expect.poll(() => feeds(page)).toBe(0);
  await other.getByLabel(t.more).click();
  await other.getByRole("button", { name: t.remove }).click();
  await other.getByRole("dialog").getByRole("textbox").fill("de fondo");
  await other.getByRole("button", { name: t.reallyRemove, exact: true }).click();
  await other.waitForURL("/");
  await expect(other.getByText("de fondo")).toHaveCount(0);
  await hide(page, false);
  await expect(page.getByText("de fondo")).toHaveCount(0);
});

test("its terminal takes in what comes, though its timers stand still", async ({ page, server }) => {
  const most = 2_000_000;
  let received = 0;
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => (received += payload.length));
  });
  await page.clock.install();
  await signIn(page, server, t);
  await spawn(page, t, "hablador");
  await connected(page);
  await page.locator(".terminal-host").first().click();
  await page.keyboard.type(`head -c ${most} /dev/zero | tr '\\0' x; echo; echo al-$((2+2)) fin`);
  await hide(page, true);
  await page.clock.pauseAt(Date.now() + 1000);
  const before = received;
  await page.keyboard.press("Enter");
  await expect.poll(() => received - before).toBeGreaterThan(most);
  await hide(page, false);
  await page.clock.resume();
  await expect(page.locator(".xterm-rows").first()).toContainText("al-4 fin");
});

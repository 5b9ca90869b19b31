import { expect, test } from "../fixtures";
import { agentOf, asleep, connected, signIn, sleep, spawn, type, wake, words } from "../steps";

// What goes wrong shows as what it is, and nothing is lost by it.

test.use({ locale: "es-ES" });
const t = words.es;

test.describe("with the sandbox killed", () => {
  // Its terminal may be asked for once more before its end is known.
  test.use({ forgiven: [/WebSocket/] });

  test("a sandbox that ends abruptly shows as that, and one click restarts from the last snapshot", async ({ page, server }) => {
    await signIn(page, server, t);
    await spawn(page, t, "frágil");
    await connected(page);
    await type(page, "echo kept > file; echo wri''tten", "written");
    await sleep(page, t);
    await wake(page, t);
    await connected(page);
    server.crash(agentOf(page));
    const mishap = page.getByRole("alert").filter({ hasText: t.crashed });
    await expect(mishap).toBeVisible();
    await expect(mishap.locator(".output")).toContainText("signal 9");
    await mishap.getByRole("button", { name: t.restart }).click();
    await connected(page);
    await type(page, "cat file", "kept");
  });
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

  test("while it saves an agent: it is put to sleep whole all the same", async ({ page, server }) => {
    await signIn(page, server, t);
    await spawn(page, t, "guardado");
    await connected(page);
    await type(page, "head -c 8000000 /dev/urandom > big; sha256sum big > sum; echo wri''tten", "written");
    // Killed any sooner, nobody would have been asked.
    const asked = page.waitForResponse(/\/api\/console\/sleep/);
    await page.locator(".bench-head").getByRole("button", { name: t.sleep }).click();
    await asked;
    await server.stop("SIGKILL");
    await server.start();
    await asleep(page);
    await wake(page, t);
    await connected(page);
    await type(page, "sha256sum -c sum", /big: (OK|La suma coincide)/);
  });
});

test.describe("somebody else", () => {
  test.use({ forgiven: [/404 \(Not Found\)/] });

  test("sees an agent that is not theirs like one that never was", async ({ page, server, browser }) => {
    await signIn(page, server, t);
    await spawn(page, t, "privado");
    await connected(page);
    const context = await browser.newContext({ locale: "es-ES", baseURL: server.url });
    const stranger = await context.newPage();
    await stranger.goto(server.linkFor("vecina"));
    await expect(stranger.getByRole("button", { name: t.first })).toBeVisible();
    await expect(stranger.getByText("privado")).toHaveCount(0);
    const seen = [];
    for (const id of [agentOf(page), "0000000000000000"]) {
      expect((await stranger.goto(`/agents/${id}`))?.status()).toBe(404);
      await expect(stranger.getByRole("heading", { name: t.lost })).toBeVisible();
      seen.push(await stranger.locator("main").innerHTML());
    }
    expect(seen[0]).toBe(seen[1]);
    await context.close();
  });
});

test.describe("at the agent's own port", () => {
  test.use({ serverArgs: ["--terminals", "direct"] });

  test("the terminal is reached without the relay", async ({ page, server }) => {
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await signIn(page, server, t);
    await spawn(page, t, "directo");
    await connected(page);
    await type(page, "echo cuatro-$((2+2))", "cuatro-4");
    expect(sockets.map((url) => new URL(url).host)).not.toContain(new URL(server.url).host);
    expect(sockets).toHaveLength(1);
  });
});

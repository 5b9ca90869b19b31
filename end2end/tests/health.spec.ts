import { expect, test } from "../fixtures";

// Asked as a watchdog asks: a browser would also look for an icon there.
test("the server answers that it is up", async ({ request, server }) => {
  const answer = await request.get("/healthz");
  expect(answer.status()).toBe(200);
  expect(server.signInLink).toContain("/sign-in#");
});

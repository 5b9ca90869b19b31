import { expect, test } from "../fixtures";

test("the server answers that it is up", async ({ page, server }) => {
  const answer = await page.goto("/healthz");
  expect(answer?.status()).toBe(200);
  expect(server.signInLink).toContain("/sign-in#");
});

import { expect, test } from "../fixtures";
import type { Server } from "../server";
import { agentOf, connected, makeToken, signIn, sleep, spawn, words } from "../steps";

test.use({ locale: "es-ES" });
const t = words.es;

type Told = { event: string; phase?: string; at: number };

/** What the API's feed tells of an agent, up to its falling asleep. */
async function events(server: Server, agent: string, token: string): Promise<Told[]> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/api/v1/agents/${agent}/events`, { headers });
  const told: Told[] = [];
  let text = "";
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data:")) told.push(JSON.parse(line.slice(5)));
    if (told.some(({ event }) => event === "asleep")) break;
  }
  return told;
}

test("the bill of a session that ended is its milliseconds × rate, to the last digit shown", async ({ page, server }) => {
  await signIn(page, server, t);
  await spawn(page, t, "contado");
  await connected(page);
  await sleep(page, t);
  const agent = agentOf(page);
  const shown = () => page.locator(".receipt-total dd").innerText();
  const bill = await shown();
  await page.reload();
  expect(await shown()).toBe(bill);

  const token = await makeToken(page);
  const answer = await page.request.get(`/api/v1/agents/${agent}`, { headers: { authorization: `Bearer ${token}` } });
  const { cost } = await answer.json();
  expect(bill.replace(/\s/g, "")).toBe(`$${(Math.round(cost.session / 100) / 1e7).toFixed(7).replace(".", ",")}`);

  // It is billed from its launch, which came between two of the boot's phases.
  const told = await events(server, agent, token);
  const at = (event: string, phase?: string) =>
    told.find((one) => one.event === event && (!phase || one.phase === phase))?.at ?? NaN;
  const price = (ms: number) => Math.floor((cost.per_hour * ms) / 3_600_000);
  const [least, most] = [at("asleep") - at("boot", "enrolling"), at("asleep") - at("boot", "placing")];
  const sums = Array.from({ length: most - least + 1 }, (_, more) => price(least + more));
  expect(sums).toContain(cost.session);
});

import { test as base } from "@playwright/test";
import { Server } from "./server";

export { expect } from "@playwright/test";

type Options = {
  /** Arguments and environment of `openclaw-cloud serve`, beyond address and data folder. */
  serverArgs: string[];
  serverEnvironment: Record<string, string>;
  /** Console messages that a test provokes (a server killed on purpose); everything else fails it. */
  forgiven: RegExp[];
};
type Fixtures = { server: Server };

/** Tests get a server of their own, and fail on any console error or warning and any page error. */
export const test = base.extend<Options & Fixtures>({
  serverArgs: [[], { option: true }],
  serverEnvironment: [{}, { option: true }],
  forgiven: [[], { option: true }],

  server: async ({ serverArgs, serverEnvironment }, use, testInfo) => {
    const server = new Server();
    try {
      await server.start(serverArgs, serverEnvironment);
      await use(server);
    } finally {
      await testInfo.attach("server.log", { body: server.log, contentType: "text/plain" });
      await server.remove();
    }
  },

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  context: async ({ context, forgiven }, use) => {
    const complaints: string[] = [];
    const complain = (text: string) => {
      if (!forgiven.some((pattern) => pattern.test(text))) complaints.push(text);
    };
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        complain(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on("weberror", (event) => complain(`page error: ${event.error()}`));
    await use(context);
    if (complaints.length) throw new Error(`the browser's console complained:\n${complaints.join("\n")}`);
  },
});

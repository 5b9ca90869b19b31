import { defineConfig } from "@playwright/test";

// A real browser against the real server. Debian's chromium; where another is wanted, CHROMIUM
// names it. Everything a run leaves (screenshots, traces, server logs) is in test-results/.
export default defineConfig({
  testDir: "tests",
  outputDir: "../test-results",
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1, // two cores: a second browser would only make both slow
  forbidOnly: !!process.env.CI,
  use: {
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    },
  },
});

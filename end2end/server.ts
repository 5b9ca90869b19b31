import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const binary = process.env.OPENCLAW_CLOUD_BINARY;

/** The real `openclaw-cloud serve` on a port and a data folder of its own. */
export class Server {
  /** Short, since Unix socket paths inside are limited to 108 bytes. */
  readonly data = fs.mkdtempSync(path.join(os.tmpdir(), "oc-"));
  /** All that the server wrote, over all its starts. */
  log = "";
  /** `http://127.0.0.1:PORT`; a restart keeps the port. */
  url = "";
  /** The one-time link of the latest start. */
  signInLink = "";
  private process?: ChildProcess;
  private environment: Record<string, string> = {};

  /** Starts the server and resolves once it listens and has printed its sign-in link. */
  async start(args: string[] = [], environment: Record<string, string> = {}): Promise<void> {
    if (!binary) throw new Error("OPENCLAW_CLOUD_BINARY is not set: run script/test");
    this.environment = environment;
    const listen = this.url ? new URL(this.url).host : "127.0.0.1:0";
    const child = spawn(binary, ["serve", "--listen", listen, "--data", this.data, ...args], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    this.signInLink = "";
    let output = "";
    await new Promise<void>((resolve, reject) => {
      const listenTo = (chunk: Buffer) => {
        this.log += chunk;
        output += chunk;
        this.url ||= /^listening on (http:\S+)$/m.exec(output)?.[1] ?? "";
        this.signInLink ||= /^sign-in link: (http:\S+)$/m.exec(output)?.[1] ?? "";
        // In AWS a link is for who asks for one: it has no place in a log that is kept.
        if (this.url && (this.signInLink || environment.OPENCLAW_CLOUD_ENGINE === "aws")) resolve();
      };
      child.stdout.on("data", listenTo);
      child.stderr.on("data", listenTo);
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`the server ended (${code ?? signal}):\n${output}`)));
    });
    this.signInLink ||= this.linkFor("owner");
  }

  /** Ends the server: SIGTERM for an orderly stop, SIGKILL for a crash. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(patience);
  }

  /** A one-time link for another person, as an operator makes it. */
  linkFor(name: string): string {
    return this.command("user", "add", name, "--origin", this.url).trim().split(": ")[1];
  }

  /** What a command beside the server prints. */
  command(...args: string[]): string {
    if (!binary) throw new Error("OPENCLAW_CLOUD_BINARY is not set: run script/test");
    return execFileSync(binary, [...args, "--data", this.data], {
      encoding: "utf8", env: { ...process.env, ...this.environment },
    });
  }

  /** Kills the first process of an agent's sandbox, and with it all of the sandbox. */
  crash(agent: string): void {
    const instances = path.join(this.data, "instances");
    const instance = fs.readdirSync(instances).find((name) => name.startsWith(`${agent}-`));
    const status = fs.readFileSync(path.join(instances, instance ?? "", "status.json"), "utf8");
    process.kill(Number(/"child-pid"\s*:\s*(\d+)/.exec(status)?.[1]), "SIGKILL");
  }

  /** Processes of the sandboxes that this server started; they outlive it by design. */
  sandboxes(): number[] {
    return fs.readdirSync("/proc").map(Number).filter((pid) => pid && this.owns(pid));
  }

  private owns(pid: number): boolean {
    try {
      // What a sandbox says goes to a file of its instance; its arguments name no folder.
      return fs.readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${this.data}/instances/`);
    } catch {
      return false; // it ended meanwhile
    }
  }

  /** Stops everything and removes the data folder. */
  async remove(): Promise<void> {
    await this.stop();
    for (const pid of this.sandboxes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it ended meanwhile
      }
    }
    fs.rmSync(this.data, { recursive: true, force: true, maxRetries: 5 });
  }
}

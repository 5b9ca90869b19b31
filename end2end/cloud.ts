import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** An AWS account: an emulator, and a fake ECS whose tasks are real agents. */
export class Cloud {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "oc-aws-"));
  environment: Record<string, string> = {};
  private children: ChildProcess[] = [];
  private ecs = "";

  async start(): Promise<void> {
    const port = await freePort();
    const emulator = `http://127.0.0.1:${port}`;
    const ministack = spawn("ministack", [], {
      env: { ...process.env, BIND_HOST: "127.0.0.1", GATEWAY_PORT: String(port) }, stdio: "ignore",
    });
    this.children.push(ministack);
    await once(ministack, "spawn");
    const healthy = () => fetch(`${emulator}/_ministack/health`).then((answer) => answer.ok, () => false);
    for (let tries = 0; !(await healthy()); tries++) {
      if (tries > 600) throw new Error("the emulator of AWS did not answer within a minute");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await fetch(`${emulator}/snapshots`, { method: "PUT" });
    const scope = "Credential=test/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
    await fetch(emulator, {
      method: "POST", body: new URLSearchParams({ Action: "CreateQueue", QueueName: "events" }),
      headers: { authorization: `AWS4-HMAC-SHA256 ${scope}` },
    });
    const queue = `${emulator}/000000000000/events`;
    this.ecs = await this.fakeEcs(queue);
    const instances = `127.0.0.1:${await freePort()}`;
    this.environment = {
      AWS_ENDPOINT_URL: emulator, AWS_ENDPOINT_URL_ECS: this.ecs, AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test",
      OPENCLAW_CLOUD_ENGINE: "aws", OPENCLAW_CLOUD_TABLES: "browser", OPENCLAW_CLOUD_BUCKET: "snapshots",
      OPENCLAW_CLOUD_AGENT_ROLE: "arn:aws:iam::000000000000:role/agents", OPENCLAW_CLOUD_QUEUE: queue,
      OPENCLAW_CLOUD_CLUSTER: "browser", OPENCLAW_CLOUD_TASK_X86: "agent", OPENCLAW_CLOUD_SUBNETS: "subnet-a",
      OPENCLAW_CLOUD_SECURITY_GROUPS: "sg-1", OPENCLAW_CLOUD_INSTANCES_LISTEN: instances,
      OPENCLAW_CLOUD_INSTANCES_URL: `http://${instances}`,
      OPENCLAW_CLOUD_TICKET_KEY: "11".repeat(32), OPENCLAW_CLOUD_REPOSITORY_KEY: "22".repeat(32),
    };
    execFileSync(process.env.OPENCLAW_CLOUD_BINARY ?? "", ["aws", "create-tables"], { env: { ...process.env, ...this.environment } });
  }

  /** Spot takes every task back. */
  async interrupt(): Promise<void> {
    await this.tell("POST", "interrupt", { stop_code: "SpotInterruption" });
  }

  /** Whether Spot has no room. */
  async full(is: boolean): Promise<void> {
    const shortages = is ? [{ capacity_provider: "FARGATE_SPOT" }] : [];
    await this.tell("PATCH", "settings", { shortages });
  }

  /** The task that runs ends without a word. */
  async crash(): Promise<void> {
    const tasks = (await (await fetch(`${this.ecs}/_fake/tasks`)).json()) as { taskArn: string; lastStatus: string }[];
    const task = tasks.find((each) => each.lastStatus === "RUNNING");
    await this.tell("POST", "crash", { task: task?.taskArn });
  }

  private async fakeEcs(queue: string): Promise<string> {
    const programs = path.dirname(process.env.OPENCLAW_CLOUD_BINARY ?? "");
    const definition = path.join(this.folder, "task.json");
    const environment = [{ name: "OPENCLAW_HOME", value: "/home/agent" }, { name: "SHELL", value: "/bin/bash" }];
    fs.writeFileSync(definition, JSON.stringify({
      family: "agent", networkMode: "awsvpc", requiresCompatibilities: ["FARGATE"], cpu: "512", memory: "2048",
      containerDefinitions: [{ name: "agent", image: "agent:latest", stopTimeout: 120, environment }],
    }));
    const child = spawn(path.join(programs, "ecs-fake"), [
      "--cluster", "browser", "--task-definition", definition, "--queue-url", queue, "--own-path", "/home/agent",
      "--folder", path.join(this.folder, "tasks"), "--", path.join(programs, "openclaw-agent"),
    ], { stdio: ["ignore", "pipe", "inherit"] });
    this.children.push(child);
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    this.ecs = line.toString().trim();
    const exactly = (ms: number) => ({ least_ms: ms, most_ms: ms });
    const delays = { provisioning: exactly(500), pending: exactly(300), pull: exactly(900), start: exactly(500), deactivating: exactly(1500), deprovisioning: exactly(500) };
    await this.tell("PATCH", "settings", { delays });
    return this.ecs;
  }

  private async tell(method: string, what: string, body: object): Promise<void> {
    const answer = await fetch(`${this.ecs}/_fake/${what}`, {
      method, body: JSON.stringify(body), headers: { "content-type": "application/json" },
    });
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`);
  }

  async remove(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

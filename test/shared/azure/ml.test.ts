import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadCertificate } from "#local/azureml/certificate.ts";
import { createCredential } from "#shared/azure/credential.ts";
import { createMlClient } from "#shared/azure/ml-client.ts";
import { createMl } from "#shared/azure/ml.ts";
import { parseSettings } from "#shared/settings.ts";
import {
  token,
  workspacePath,
  subscriptionId,
  group,
  workspaceName,
} from "../../local/azureml/start-test-workspace.ts";
import { credential, settingsOf, startAzure } from "./start-azure.ts";

let azure: Awaited<ReturnType<typeof startAzure>>;
let environmentId: string;
beforeAll(async () => {
  azure = await startAzure();
  environmentId = await azure.ml.putEnvironment("base", "1", { image: "python:3.11" });
});
afterEach(() => azure.faults({}));
afterAll(() => azure.close());

const job = (more: object = {}) => ({ jobType: "Command", command: "echo", environmentId, ...more });
const puts = async () => {
  const { body } = await azure.test.send({ path: "/_embedded/counters" });
  return (body as { jobPuts: { jobName: string; status: number }[] }).jobPuts;
};

describe("a job's PUT", () => {
  test("arrives with everything that was asked for, byte for byte", async () => {
    const { cert, key } = await loadCertificate(join(azure.test.stateFolder, "certificate"));
    const received: { method: string | undefined; url: string | undefined; headers: object; body: string }[] = [];
    const recorder = createServer({ cert, key }, (request, response) => {
      void request.toArray().then((chunks) => {
        const { method, url, headers } = request;
        received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(201, { "content-type": "application/json" }).end('{"properties":{"status":"NotStarted"}}');
      });
    });
    await new Promise<void>((resolve) => recorder.listen(0, "127.0.0.1", resolve));
    const address = recorder.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    const ml = createMl(createMlClient(settingsOf(`https://127.0.0.1:${address.port}/`), credential));
    const properties = {
      jobType: "Command",
      command: "python train.py",
      environmentId: `${workspacePath}/environments/base/versions/1`,
      inputs: {
        data: { jobInputType: "uri_folder", uri: "azureml://datastores/d/paths/a b/", mode: "Download" },
        epochs: { jobInputType: "literal", value: "10" },
      },
      outputs: {
        model: { jobOutputType: "uri_folder", uri: "azureml://datastores/d/paths/m/", mode: "ReadWriteMount" },
      },
      queueSettings: { jobTier: "Spot", priority: 2 },
      resources: { instanceType: "Standard_NC6s_v3", instanceCount: 1, properties: { any: { thing: [1] } } },
      distribution: { distributionType: "PyTorch", processCountPerInstance: 2 },
      limits: { jobLimitsType: "Command", timeout: "PT60S" },
      somethingOfNextYear: { kept: true },
    };
    const answer = await ml.putJob("a_job-1", properties);
    recorder.close();
    recorder.closeAllConnections();

    expect(answer).toMatchObject({ kind: "accepted", job: { properties: { status: "NotStarted" } } });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: "PUT",
      url: `${workspacePath}/jobs/a_job-1?api-version=2024-04-01`,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "user-agent": expect.stringMatching(/^mlpipe .*azsdk-js-arm-machinelearning/),
        "x-ms-client-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      body: JSON.stringify({ properties }),
    });
  });

  test("of the same name and body finds the first, of another body says that it exists", async () => {
    expect(await azure.ml.putJob("twice", job())).toMatchObject({ kind: "accepted" });
    expect(await azure.ml.putJob("twice", job())).toMatchObject({ kind: "accepted", job: { name: "twice" } });
    expect(await azure.ml.putJob("twice", job({ command: "echo other" }))).toEqual({ kind: "exists" });
    // The service has been seen to answer so to the very same body.
    await azure.faults({ refuseIdenticalPut: true });
    expect(await azure.ml.putJob("twice", job())).toEqual({ kind: "exists" });
    expect((await azure.ml.getJob("twice"))?.properties).toMatchObject({ command: "echo" });
  });

  test.for([
    ["NoSuchSize", /not a supported VM size/],
    ["NoQuota", /quota/],
    ["NoCapacity", /sufficient capacity/],
  ] as const)("for a size with %s is refused in the service's words", async ([refusal, reason]) => {
    await azure.faults({ sizes: { Standard_NC6s_v3: refusal } });
    const resources = { instanceType: "Standard_NC6s_v3", instanceCount: 1 };
    const answer = await azure.ml.putJob(`size-${refusal}`, job({ resources }));
    expect(answer).toEqual({ kind: "refused", reason: expect.stringMatching(reason) });
    expect(await azure.ml.getJob(`size-${refusal}`)).toBeUndefined();
  });

  test("that is wrong in itself is rejected, not refused", async () => {
    const answer = await azure.ml.putJob("wrong", job({ command: "echo ${{inputs.nothing}}" }));
    expect(answer).toEqual({ kind: "rejected", reason: expect.stringContaining("nothing") });
    expect(await azure.ml.putJob("no name!", job())).toMatchObject({ kind: "rejected" });
  });

  test("whose reply is lost after the job was made is sent again and makes no second job", async () => {
    await azure.faults({ rules: [{ kind: "loseReply", route: "jobs.put", next: 1 }] });
    expect(await azure.freshMl().putJob("lost-reply", job())).toMatchObject({ kind: "accepted" });
    const statuses = (await puts()).filter(({ jobName }) => jobName === "lost-reply").map(({ status }) => status);
    expect(statuses).toEqual([201, 200]);
  });
});

describe("a service that is busy or down", () => {
  const respond = (status: number, more: object = {}) => ({
    rules: [{ kind: "respond", route: "jobs.*", status, ...more }],
  });

  test("is asked again after the seconds that it says", async () => {
    await azure.faults(respond(429, { retryAfterSeconds: 1, next: 1 }));
    expect(await azure.freshMl().putJob("throttled", job())).toMatchObject({ kind: "accepted" });
    await azure.faults(respond(503, { next: 2 }));
    expect((await azure.freshMl().getJob("throttled"))?.name).toBe("throttled");
  });

  test.for([429, 500, 503] as const)("with %i to the end is Unavailable", async (status) => {
    await azure.faults(respond(status, { retryAfterSeconds: 3600, message: "Come back ?sig=secret" }));
    const failed = { code: "Unavailable", message: expect.not.stringContaining("secret"), retryAfterSeconds: 3600 };
    await expect(azure.freshMl().putJob("never", job())).rejects.toMatchObject(failed);
    await expect(azure.freshMl().getJob("never")).rejects.toMatchObject(failed);
    await azure.faults({});
    expect(await azure.freshMl().getJob("never")).toBeUndefined();
  });

  test("or refuses this identity is Unavailable too: somebody can mend that without a new request", async () => {
    const stranger = {
      getToken: () => Promise.resolve({ token: "wrong", expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const ml = createMl(createMlClient(settingsOf(azure.test.workspace.url), stranger));
    await expect(ml.putJob("stranger", job())).rejects.toMatchObject({ code: "Unavailable" });
    await expect(ml.putEnvironment("tools", "9", { image: "a" })).rejects.toMatchObject({ code: "Unavailable" });
    await expect(ml.environmentVersion("tools", "9")).rejects.toMatchObject({ code: "Unavailable" });
  });
});

describe("the workspace", () => {
  test("is found by Azure ML's own config.json, in the app's folder or one above it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mlpipe-config-"));
    const root = join(folder, "some", "where");
    await mkdir(join(folder, ".azureml"), { recursive: true });
    await mkdir(root, { recursive: true });
    const config = { subscription_id: subscriptionId, resource_group: group, workspace_name: workspaceName };
    await writeFile(join(folder, ".azureml", "config.json"), JSON.stringify(config));
    const settings = parseSettings(
      {
        AZURE_RESOURCE_MANAGER_ENDPOINT: azure.test.workspace.url,
        MLPIPE_CREDENTIAL: "access-token",
        MLPIPE_ACCESS_TOKEN: token,
      },
      root,
    );
    await rm(folder, { recursive: true });
    const ml = createMl(createMlClient(settings, createCredential(settings.credential)));
    expect(ml.workspaceId).toBe(workspacePath);
    expect((await ml.datastore()).name).toBe("workspaceblobstore");
  });

  test("gives its datastores, and says which one it does not have", async () => {
    const place = await azure.ml.datastore();
    expect(place).toMatchObject({ name: "workspaceblobstore", credentialsType: "AccountKey" });
    expect(await azure.ml.datastore("workspaceblobstore")).toEqual(place);
    await expect(azure.ml.datastore("nowhere")).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("nowhere"),
    });
    expect(await azure.ml.datastoreSecret("workspaceblobstore")).toMatchObject({ kind: "accountKey" });
    expect(await azure.ml.datastoreSecret("nowhere")).toBeUndefined();
  });

  test("registers code and environments once, and knows the latest", async () => {
    const code = await azure.ml.putCode("a".repeat(64), "1", "https://account.example/container/code");
    expect(code).toBe(`${workspacePath}/codes/${"a".repeat(64)}/versions/1`);
    expect(await azure.ml.putCode("a".repeat(64), "1", "https://account.example/container/code")).toBe(code);
    const older = await azure.ml.putEnvironment("tools", "1", { image: "a" });
    const newer = await azure.ml.putEnvironment("tools", "2", { image: "b" });
    expect(await azure.ml.putEnvironment("tools", "1", { image: "a" })).toBe(older);
    expect(await azure.ml.latestEnvironment("tools")).toBe(newer);
    await expect(azure.ml.latestEnvironment("nothing")).rejects.toMatchObject({ code: "NotFound" });
  });

  test("cancels a job once, twice, or when there is none", async () => {
    await azure.ml.putJob("to-cancel", job());
    await azure.ml.cancelJob("to-cancel");
    await azure.ml.cancelJob("to-cancel");
    await azure.ml.cancelJob("never-there");
    expect(["CancelRequested", "Canceled", "Completed"]).toContain(
      (await azure.ml.getJob("to-cancel"))?.properties.status,
    );
  });
});

import { describe, expect, test } from "vitest";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";

async function compile(settings: string, properties: string, timeoutSeconds?: number) {
  const { document, issues } = await parsePipeline(`
type: pipeline
settings:
  mlpipe:${settings}
jobs:
  train:
    command: echo
    environment: { image: busybox }
    resources:
      instance_type: A
      properties:
        AISuperComputer: { interactive: true }
        mlpipe:${properties}
  other: { command: echo, environment: { image: busybox } }
`);
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  const result = await compilePlan(document, {
    inputs: {},
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  });
  const told = [...issues, ...(result.plan === undefined ? result.issues : result.warnings)].map(formatIssue);
  return { plan: result.plan, told };
}

describe("what a pipeline says of trying again and of time", () => {
  test("holds for every node, and a node's own word over it", async () => {
    const { plan, told } = await compile(
      " { retry: { lost: { max_attempts: 5, delay: 1 } }, limits: { queued: 600, run: 7200 } }",
      " { instance_type_fallbacks: [B], retry: { lost: { max_attempts: 2 }, user_code: { max_attempts: 3, max_delay: 60 } }, limits: { running: 60, node: 90 } }",
    );
    expect(told).toEqual([]);
    expect(plan?.settings.timeoutSeconds).toBe(7200);
    expect(plan?.nodes.map(({ name, policy }) => [name, policy])).toEqual([
      [
        "train",
        {
          retry: { "user-code": { maxAttempts: 3, maxDelaySeconds: 60 }, lost: { maxAttempts: 2, delaySeconds: 1 } },
          limits: { queuedSeconds: 600, runningSeconds: 60, nodeSeconds: 90 },
        },
      ],
      ["other", { retry: { lost: { maxAttempts: 5, delaySeconds: 1 } }, limits: { queuedSeconds: 600 } }],
    ]);
    expect(plan?.nodes[0]?.resources).toMatchObject({
      instanceTypes: ["A", "B"],
      properties: { AISuperComputer: { interactive: true } },
    });
    expect(plan?.nodes[0]?.resources.properties).not.toHaveProperty("mlpipe");
  });

  test("is nothing where nothing is said", async () => {
    const { plan } = await compile(" {}", " {}");
    expect(plan?.nodes.some((node) => "policy" in node)).toBe(false);
    expect(plan?.settings).not.toHaveProperty("concurrency");
  });

  test("gives way to the request's own limit for the run", async () => {
    expect((await compile(" { limits: { run: 7200 } }", " {}", 60)).plan?.settings.timeoutSeconds).toBe(60);
  });

  test("may limit runs and jobs", async () => {
    const { plan } = await compile(
      " { concurrency: { max_runs: 1, max_jobs: 4, max_jobs_per_size: { A: 2 } } }",
      " {}",
    );
    expect(plan?.settings.concurrency).toEqual({ maxRuns: 1, maxJobs: 4, maxJobsPerSize: { A: 2 } });
  });

  test("is refused where it makes no sense, with the place", async () => {
    const { told } = await compile(" { limits: { run: 0 } }", " { retry: { lost: { delay: -1 } } }");
    expect(told).toEqual([
      expect.stringContaining("settings.mlpipe.limits.run: expected a whole number above 0"),
      expect.stringContaining("jobs.train.resources.properties.mlpipe.retry.lost.delay: expected seconds"),
    ]);
  });

  test("misspelt is told with the name it may have meant", async () => {
    const { told } = await compile(" {}", " { retry: { user_cod: { max_attempts: 2 } } }");
    expect(told).toEqual([expect.stringMatching(/`user_cod` is not known here.*did you mean `user_code`/)]);
  });
});

import pc from "picocolors";
import { describe, expect, test } from "vitest";
import type { ModelVersionDocument } from "#shared/api.ts";
import type { Promotion } from "#shared/domain/promotion/promotion.ts";
import { renderModelList, renderModelVersion, renderModelVersions } from "#cli/views/model-table.ts";
import { describePromotion, isAsking, tellPromotion } from "#cli/views/promotion.ts";
import { renderFrame } from "#cli/views/render-frame.ts";
import { reportEnd } from "#cli/views/report-end.ts";
import { renderRun } from "#cli/views/run-table.ts";
import { newNode, newRun } from "./fake-app.ts";

const now = Date.parse("2026-01-05T10:01:05Z");
const colors = pc.createColors(false);
const options = { colors, width: 80, now };
const hint = (text: string) => `mlpipe ${text}`;

const passed = { node: "score", metric: "accuracy", isPassed: true };
const promoted: Promotion = {
  model: "digits",
  stage: "production",
  outcome: "promoted",
  version: "4",
  reason: "accuracy 0.913 >= 0.9, accuracy 0.913 > champion 3's 0.905",
  rules: [
    { ...passed, detail: "accuracy 0.913 >= 0.9" },
    { ...passed, detail: "accuracy 0.913 > champion 3's 0.905" },
  ],
  champion: { version: "3" },
  approval: { answer: { decision: "approved", by: "Ada", comment: "fine", time: "2026-01-05T10:00:30.000Z" } },
};
const refused: Promotion = {
  model: "digits",
  stage: "production",
  outcome: "not-promoted",
  reason: "accuracy 0.8 < 0.9",
  rules: [{ ...passed, isPassed: false, detail: "accuracy 0.8 < 0.9" }],
};
const asking: Promotion = {
  model: "digits",
  stage: "production",
  reason: "accuracy 0.913 >= 0.9",
  rules: [{ ...passed, detail: "accuracy 0.913 >= 0.9" }],
  approval: { requestedTime: "2026-01-05T10:01:00.000Z", deadline: "2026-01-08T10:01:00.000Z" },
};

describe("what became of a model", () => {
  test("is one line at the end of its run", () => {
    const document = newRun({ status: "completed", promotion: promoted });
    expect(reportEnd(document, { colors, hint })[0]).toBe(
      "Model digits:4 promoted to production in place of version 3: accuracy 0.913 >= 0.9, accuracy 0.913 > champion 3's 0.905, approved by Ada at 2026-01-05 10:00 UTC: fine",
    );
    expect(tellPromotion(refused, colors)).toBe("Model digits not promoted: accuracy 0.8 < 0.9");
    expect(tellPromotion({ ...promoted, outcome: "already-promoted" }, colors)).toMatch(
      /^Model digits:4 is in production already: /,
    );
  });

  test("is told with each of its rules where there is room", () => {
    expect(describePromotion(promoted, colors)).toEqual([
      "Model digits:4 promoted to production",
      "  ✔ accuracy 0.913 >= 0.9",
      "  ✔ accuracy 0.913 > champion 3's 0.905",
      "  in place of version 3",
      "  approved by Ada at 2026-01-05 10:00 UTC: fine",
    ]);
    expect(describePromotion(refused, colors)).toEqual(["Model digits not promoted: accuracy 0.8 < 0.9"]);
    const rejected: Promotion = { ...promoted, outcome: "not-promoted", reason: "rejected by Ada: no" };
    expect(describePromotion(rejected, colors)[0]).toBe("Model digits:4 not promoted: rejected by Ada: no");
  });

  test("of a run that waits says until when, and what the node that waits is waiting for", () => {
    const waitsFor = "approval of model digits for production";
    const nodes = [newNode("promote", { status: "running", attempt: 1, waitsFor, promotion: asking })];
    const document = newRun({ status: "running", nodes, promotion: asking, waitsFor });
    expect(isAsking(document)).toBe(true);
    expect(isAsking({ ...document, promotion: promoted })).toBe(false);
    const text = renderRun({ document, metrics: new Map() }, options);
    expect(text).toContain(`waits for ${waitsFor}`);
    expect(text).toContain("Model digits waits for approval until 2026-01-08 10:01 UTC: accuracy 0.913 >= 0.9");
    const frame = renderFrame({ document, metrics: new Map() }, { ...options, width: 80, rows: 24 });
    expect(frame.split("\n").map((line) => line.includes(waitsFor))).toEqual([true, false]);
  });

  test("is told of a run that failed elsewhere only when there is a version", () => {
    const nodes = [newNode("bad", { status: "failed", attempt: 1, failure: { reason: "exit code 1" } })];
    const end = (promotion: Promotion) =>
      reportEnd(newRun({ status: "failed", nodes, promotion }), { colors, hint }).join("\n");
    expect(end(promoted)).toContain("Model digits:4 promoted");
    expect(end(refused)).not.toContain("Model");
  });
});

describe("registered models", () => {
  const version: ModelVersionDocument = {
    name: "digits",
    version: "4",
    stage: "production",
    isChampion: true,
    type: "mlflow_model",
    uri: "azureml://datastores/d/paths/m/",
    metrics: { "score.accuracy": 0.913, "score.loss": 0.2, "score.recall": 0.9 },
    runId: "r1",
    pipeline: "p",
    jobName: "r1-train-1",
    approvedBy: "Ada",
    createdTime: "2026-01-05T10:00:00.000Z",
    tags: {},
    properties: {
      "mlpipe.code": "abc",
      "mlpipe.input.prep.images": "content:123 azureml://x/",
      "mlpipe.key.train": "k1",
    },
  };

  test("are listed with the versions that have a stage", () => {
    const listed = [
      { name: "digits", latestVersion: "5", versions: 5, champions: { production: "4", canary: "5" } },
      { name: "none", versions: 0, champions: {} },
    ];
    expect(renderModelList(listed, options).split("\n")).toEqual([
      "MODEL   VERSIONS  NEWEST  STAGES",
      "digits  5         5       production 4, canary 5",
      "none    0",
    ]);
  });

  test("are shown version by version, and one with all that it comes from", () => {
    const table = renderModelVersions({ name: "digits", versions: [version] }, { ...options, width: undefined });
    expect(table.split("\n")).toEqual([
      "MODEL     STAGE       METRICS                        RUN  REGISTERED         APPROVED BY",
      "digits:4  production  accuracy 0.913, loss 0.200, …  r1   2026-01-05 10:00Z  Ada",
    ]);
    const text = renderModelVersion(version, options);
    for (const part of ["production", "r1 of p", "abc", "Data prep.images", "content:123", "Key of train", "Ada"])
      expect(text).toContain(part);
  });
});

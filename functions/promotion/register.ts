// Registers a run's model and moves the stage to it (docs/decisions/0008-one-champion.md). The workspace has no transactions, so the
// order of writes counts: the version comes into being with its stage and a number above every other promotion's, and only then
// do the others lose theirs. Whatever is left half done, the highest number is the champion, and the next to come finishes it.
import type { DurableClient } from "durable-functions";
import type { PlanNode } from "#shared/domain/plan.ts";
import { dependenciesOf, type Plan } from "#shared/domain/plan.ts";
import { formerStage } from "#shared/domain/promotion/promotion-plan.ts";
import type { Promotion } from "#shared/domain/promotion/promotion.ts";
import {
  championOf,
  formerChampions,
  modelProperties,
  nextPromotion,
  nextVersion,
  promotedByTag,
  promotionTag,
  sameModel,
  stageTag,
  writeMetrics,
} from "#shared/domain/promotion/registered-model.ts";
import type { NewModel } from "#shared/azure/models.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { readLastValues } from "../metrics.ts";
import { createNodeFacts } from "../reuse/node-facts.ts";
import { type Candidate, findCandidate, measureOf, type PromotionRequest } from "./candidate.ts";
import { findEndedNode } from "./ended-node.ts";

type Answer =
  | { kind: "promoted" | "already-promoted"; version: string }
  | { kind: "moved" }
  | { kind: "refused"; reason: string };

type Needed = Pick<App, "ml" | "models" | "plans" | "assets" | "data" | "memory" | "log">;

/** Versions that others may take before it is given up for this time. */
const mostTries = 20;
/** Of data from outside the run that a version tells. */
const toldInputs = 20;

export function createRegister(app: Needed) {
  const { ml, models, assets, data, memory, log } = app;

  return async function register(
    request: PromotionRequest & { promotion: Promotion; compared?: string | null | undefined },
    client: DurableClient,
  ): Promise<Answer> {
    const { runId, promotion, compared } = request;
    const candidate = await findCandidate(app, request);
    const { uri, content } = candidate;
    const { model: name, stage } = candidate.promotion;
    if (uri === undefined) return { kind: "refused", reason: "its files are gone" };
    let made: Omit<NewModel, "uri" | "tags"> | undefined;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const versions = await models.versions(name);
      const champion = championOf(versions, stage);
      const same = sameModel(versions, { uri, content });
      if (same !== undefined && same.tags[promotedByTag] === runId) {
        await settle(name, stage);
        return { kind: "promoted", version: same.version };
      }
      if (same !== undefined && champion?.version === same.version) {
        await settle(name, stage);
        return { kind: "already-promoted", version: same.version };
      }
      if (compared !== undefined && (champion?.version ?? null) !== compared) return { kind: "moved" };
      const tags = { [stageTag]: stage, [promotionTag]: nextPromotion(versions), [promotedByTag]: runId };
      if (same !== undefined) {
        await models.tag(same, tags);
        await settle(name, stage);
        const now = championOf(await models.versions(name), stage);
        // Another run has moved the stage at the same moment, with a number that wins.
        if (now?.version !== same.version) {
          await models.tag(same, { [promotedByTag]: "" });
          return { kind: "moved" };
        }
        log.info({ runId, model: name, version: same.version, stage }, "model promoted");
        return { kind: "promoted", version: same.version };
      }
      made ??= await toModel(candidate, request, promotion, client);
      const version = nextVersion(versions);
      const answer = await models.create(name, version, { ...made, uri, tags });
      if (answer.kind === "refused") return answer;
      if (answer.kind === "taken") continue;
      await settle(name, stage);
      log.info({ runId, model: name, version, stage }, "model promoted");
      return { kind: "promoted", version };
    }
    throw new MlpipeError("Unavailable", `Too many others register versions of ${name} at this moment`);
  };

  /** Takes the stage from every version but the champion. */
  async function settle(name: string, stage: string): Promise<void> {
    for (const former of formerChampions(await models.versions(name), stage))
      await models.tag(former, { [stageTag]: formerStage });
  }

  /** The model as it is registered, with all that tells where it comes from. */
  async function toModel(
    candidate: Candidate,
    { runId, upstream }: PromotionRequest,
    { approval }: Promotion,
    client: DurableClient,
  ): Promise<Omit<NewModel, "uri" | "tags">> {
    const { plan, output, content, promotion } = candidate;
    const measuring = [...new Set(promotion.rules.map(({ node }) => node))];
    const maker = plan.nodes.find(({ name }) => name === output.node);
    const properties: Record<string, string> = {
      [modelProperties.run]: runId,
      [modelProperties.pipeline]: plan.pipeline,
      [modelProperties.node]: output.node,
    };
    const set = (key: string, value: string | undefined) => {
      if (value !== undefined) properties[key] = value;
    };
    set(modelProperties.content, content);
    set(modelProperties.code, maker?.code?.kind === "upload" ? maker.code.hash : maker?.code?.id);
    set(modelProperties.approvedBy, approval?.answer?.by);
    const { jobName, key } = await findEndedNode(client, memory, runId, output.node);
    set(modelProperties.keyOf(output.node), key);
    for (const node of measuring) {
      const ended = await findEndedNode(client, memory, runId, node);
      set(modelProperties.keyOf(node), ended.key);
      const values = ended.jobName === undefined ? new Map<string, number>() : await readLastValues(ml, ended.jobName);
      const named = new Set(promotion.rules.flatMap((rule) => (rule.node === node ? [rule.metric] : [])));
      set(modelProperties.metricsOf(node), writeMetrics(values, named));
      const planned = plan.nodes.find(({ name }) => name === node);
      if (planned !== undefined)
        set(modelProperties.measureOf(node), await measureOf({ assets, data }, planned, output, upstream));
    }
    const facts = createNodeFacts({ assets, data });
    let told = 0;
    for (const node of makersOf(plan, output.node)) {
      const external = Object.entries(node.inputs).filter(([, input]) => input.kind === "data");
      if (external.length === 0 || told >= toldInputs) continue;
      const own = await facts.own(node);
      for (const [input, value] of external.slice(0, toldInputs - told)) {
        told += 1;
        const identity = own.facts[`inputs.${input}`] ?? "unknown";
        set(modelProperties.inputOf(node.name, input), `${identity} ${"uri" in value ? value.uri : ""}`.trim());
      }
    }
    return {
      type: output.type.endsWith("_model") ? output.type : "custom_model",
      description: `Made by run ${runId} of ${plan.pipeline}`,
      properties,
      ...(jobName === undefined ? {} : { jobName }),
    };
  }
}

/** A node and all that it comes from. */
function makersOf({ nodes }: Plan, name: string): PlanNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const found = new Map<string, PlanNode>();
  const queue = [name];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const node = byName.get(next);
    if (node === undefined || found.has(next)) continue;
    found.set(next, node);
    queue.push(...dependenciesOf(node));
  }
  return [...found.values()];
}

// Judges a run's model by its rules. The champion's metrics count as they were recorded when they were measured with the same code on
// the same data; otherwise the champion is scored on this run's data first, and only where the model may still pass.
import type { DurableClient } from "durable-functions";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeResult } from "#shared/domain/node-result.ts";
import { championNodeName } from "#shared/domain/plan-node-of.ts";
import { type ChampionScore, judgeRule } from "#shared/domain/promotion/judge-rule.ts";
import type { PromotionRule } from "#shared/domain/promotion/promotion-plan.ts";
import type { Promotion, RuleOutcome } from "#shared/domain/promotion/promotion.ts";
import {
  championOf,
  metricsOf,
  modelProperties,
  type RegisteredModel,
  sameModel,
} from "#shared/domain/promotion/registered-model.ts";
import type { App } from "../app.ts";
import { findInstance, liveStatuses } from "../instances.ts";
import { readLastValues } from "../metrics.ts";
import { type Candidate, findCandidate, measureOf, type PromotionRequest } from "./candidate.ts";
import { findEndedNode } from "./ended-node.ts";

type Judgement =
  | {
      kind: "unscored";
      promotion: Promotion;
      nodes: { node: string; planNode: string; uri: string }[];
    }
  | { kind: "judged"; promotion: Promotion; isPassed: boolean; compared?: string | null };

/** Of the characters that a custom status has room for. */
const longestReason = 1_000;
const longestFailure = 200;

type Needed = Pick<App, "ml" | "models" | "plans" | "assets" | "data" | "memory">;

export function createJudge(app: Needed) {
  const { ml, models, assets, data, memory } = app;

  return async function judge(request: PromotionRequest, client: DurableClient): Promise<Judgement> {
    const candidate = await findCandidate(app, request);
    const { promotion: asked, uri, content, output, isEmpty } = candidate;
    const { model, stage, rules } = asked;
    const versions = await models.versions(model);
    const champion = championOf(versions, stage);
    const told = { model, stage, ...(champion === undefined ? {} : { champion: toldChampion(champion) }) };
    if (uri === undefined || isEmpty) {
      const reason = `${output.node} has written nothing into ${output.output}`;
      return { kind: "judged", isPassed: false, promotion: { ...told, rules: [], reason } };
    }
    const same = sameModel(versions, { uri, content });
    const isChampion = champion !== undefined && champion.version === same?.version;
    const known = same === undefined ? {} : { version: same.version };

    const values = await readValues(request.runId, rules, client);
    const scores = new Map<PromotionRule, ChampionScore | undefined>();
    for (const rule of rules) {
      if (rule.kind === "limit") scores.set(rule, { kind: "none" });
      else if (champion === undefined) scores.set(rule, { kind: "none" });
      else if (isChampion) scores.set(rule, { kind: "itself", version: champion.version });
      else scores.set(rule, await scoreOf(rule, champion, candidate, request, client));
    }
    const outcomes = rules.map((rule) => {
      const score = scores.get(rule);
      const value = values.get(rule.node)?.get(rule.metric);
      // With no number of its own the model fails whatever the champion has.
      return score === undefined && value !== undefined && Number.isFinite(value)
        ? undefined
        : judgeRule(rule, value, score ?? { kind: "none" });
    });
    const compares = rules.some(({ kind }) => kind === "champion");
    const compared = compares ? { compared: champion?.version ?? null } : {};
    const unscored = rules.filter((_rule, index) => outcomes[index] === undefined);
    const judged = outcomes.filter((each) => each !== undefined);
    if (unscored.length > 0 && champion !== undefined && judged.every(({ isPassed }) => isPassed)) {
      const names = [...new Set(unscored.map(({ node }) => node))];
      const nodes = names.map((planNode) => ({
        node: championNodeName(planNode, champion.version),
        planNode,
        uri: champion.uri,
      }));
      return { kind: "unscored", nodes, promotion: { ...told, ...known, rules: judged } };
    }
    const all = rules.map((rule, index) => outcomes[index] ?? uncompared(rule, values, champion?.version));
    const isPassed = all.every((each) => each.isPassed);
    const decisive = isPassed ? all : judged.filter((each) => !each.isPassed);
    const reason = decisive
      .map(({ detail }) => detail)
      .join(isPassed ? ", " : "; ")
      .slice(0, longestReason);
    const promotion: Promotion = {
      ...told,
      ...known,
      rules: all,
      ...(reason === "" ? {} : { reason }),
      ...(isPassed && isChampion ? { outcome: "already-promoted" as const } : {}),
    };
    return { kind: "judged", isPassed, promotion, ...compared };
  };

  /** Node -> metric -> its last value. */
  async function readValues(runId: string, rules: readonly PromotionRule[], client: DurableClient) {
    const names = [...new Set(rules.map(({ node }) => node))];
    const read = names.map(async (node): Promise<[string, Map<string, number>]> => {
      const { jobName } = await findEndedNode(client, memory, runId, node);
      return [node, jobName === undefined ? new Map() : await readLastValues(ml, jobName)];
    });
    return new Map(await Promise.all(read));
  }

  /** How good the champion is by a rule; undefined while it has to be scored. */
  async function scoreOf(
    { node, metric }: PromotionRule,
    champion: RegisteredModel,
    { plan, output }: Candidate,
    { runId, upstream }: PromotionRequest,
    client: DurableClient,
  ): Promise<ChampionScore | undefined> {
    const { version, properties } = champion;
    const recorded = metricsOf(champion, node)[metric];
    const measured = properties[modelProperties.measureOf(node)];
    const planned = plan.nodes.find(({ name }) => name === node);
    if (recorded !== undefined && measured !== undefined && planned !== undefined) {
      const measure = await measureOf({ assets, data }, planned, output, upstream);
      if (measure === measured) return { kind: "scored", version, value: recorded };
    }
    const instance = await findInstance(client, nodeInstanceId(runId, championNodeName(node, version)));
    if (instance === undefined || liveStatuses.includes(String(instance.runtimeStatus))) return undefined;
    const result = NodeResult.safeParse(instance.output).data;
    if (result?.status !== "completed" || result.jobName === undefined) {
      const why = result !== undefined && "failure" in result ? result.failure?.reason : undefined;
      return {
        kind: "unscorable",
        version,
        reason: why?.slice(0, longestFailure) ?? `scoring it ended as ${instance.runtimeStatus}`,
      };
    }
    return { kind: "scored", version, value: (await readLastValues(ml, result.jobName)).get(metric) };
  }
}

function toldChampion({ version, properties }: RegisteredModel): NonNullable<Promotion["champion"]> {
  const runId = properties[modelProperties.run];
  return { version, ...(runId === undefined ? {} : { runId }) };
}

/** A rule that decides nothing any more, since another has failed. */
function uncompared(
  { node, metric }: PromotionRule,
  values: ReadonlyMap<string, ReadonlyMap<string, number>>,
  champion = "",
): RuleOutcome {
  const value = values.get(node)?.get(metric);
  const detail = `${metric} was not compared with champion ${champion}'s, since another rule has failed`;
  return { node, metric, ...(value === undefined ? {} : { value }), champion, isPassed: false, detail };
}

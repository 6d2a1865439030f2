// Versions of a registered model: which of them is the champion, what the next one is called, and what a version's properties and
// tags say. Properties are facts of its making and stay; tags are what may change.
import { z } from "zod";

export interface RegisteredModel {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
  /** `custom_model`, `mlflow_model` or `triton_model`. */
  readonly type: string;
  readonly jobName?: string;
  readonly description?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly createdTime?: string;
  /** Put away in the workspace: its number stays taken. */
  readonly isArchived: boolean;
}

export const stageTag = "stage";
/** Number of the promotion that gave the version its stage: of two with the same stage the higher one has it. */
export const promotionTag = "mlpipe.promotion";
/** The run whose promotion that was. */
export const promotedByTag = "mlpipe.promoted_by";

export const modelProperties = {
  run: "mlpipe.run",
  pipeline: "mlpipe.pipeline",
  node: "mlpipe.node",
  code: "mlpipe.code",
  /** Identity of the model's own files. */
  content: "mlpipe.content",
  approvedBy: "mlpipe.approved_by",
  /** What a node measured, as JSON. */
  metricsOf: (node: string) => `mlpipe.metrics.${node}`,
  /** What it was measured with and on: the node's key but for the model. */
  measureOf: (node: string) => `mlpipe.measure.${node}`,
  keyOf: (node: string) => `mlpipe.key.${node}`,
  /** Identity and place of data from outside the run. */
  inputOf: (node: string, input: string) => `mlpipe.input.${node}.${input}`,
} as const;

/** The version that has a stage; of several that carry the tag, the one that was promoted last. */
export function championOf(versions: readonly RegisteredModel[], stage: string): RegisteredModel | undefined {
  return versions.filter((each) => !each.isArchived && each.tags[stageTag] === stage).toSorted(byRank)[0];
}

/** Versions that carry the tag of a stage that another has. */
export function formerChampions(versions: readonly RegisteredModel[], stage: string): RegisteredModel[] {
  const champion = championOf(versions, stage);
  return versions.filter(({ tags, version }) => tags[stageTag] === stage && version !== champion?.version);
}

/** The version that holds the same model: with the same content, or from the same place where that cannot be told. */
export function sameModel(
  versions: readonly RegisteredModel[],
  { uri, content }: { readonly uri: string; readonly content: string | undefined },
): RegisteredModel | undefined {
  const isSame = (each: RegisteredModel) => {
    const known = each.properties[modelProperties.content];
    return content === undefined || known === undefined
      ? withoutSlash(each.uri) === withoutSlash(uri)
      : known === content;
  };
  return versions.filter((each) => !each.isArchived && isSame(each)).toSorted(byRank)[0];
}

const withoutSlash = (uri: string) => uri.replace(/\/+$/, "");

/** The lowest whole number above every other. */
export function nextVersion(versions: readonly RegisteredModel[]): string {
  return String(Math.max(0, ...versions.map(({ version }) => numberOf(version))) + 1);
}

export function nextPromotion(versions: readonly RegisteredModel[]): string {
  return String(Math.max(0, ...versions.map(promotionOf)) + 1);
}

/** Last promoted first, then the newest. */
function byRank(one: RegisteredModel, other: RegisteredModel): number {
  return promotionOf(other) - promotionOf(one) || newestFirst(one, other);
}

export function newestFirst(one: RegisteredModel, other: RegisteredModel): number {
  const byNumber = numberOf(other.version) - numberOf(one.version);
  return byNumber || (other.createdTime ?? "").localeCompare(one.createdTime ?? "");
}

function promotionOf({ tags }: RegisteredModel): number {
  return numberOf(tags[promotionTag] ?? "");
}

function numberOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

const Metrics = z.record(z.string(), z.number());
/** Characters one property takes. */
const longestMetrics = 1_000;

/** What a version's rules' node measured of it. */
export function metricsOf({ properties }: RegisteredModel, node: string): Readonly<Record<string, number>> {
  const text = properties[modelProperties.metricsOf(node)];
  if (text === undefined) return {};
  try {
    return Metrics.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** Every metric of a version, by `node.metric`. */
export function allMetricsOf(model: RegisteredModel): Record<string, number> {
  const prefix = modelProperties.metricsOf("");
  const nodes = Object.keys(model.properties).filter((key) => key.startsWith(prefix));
  return Object.fromEntries(
    nodes.flatMap((key) => {
      const node = key.slice(prefix.length);
      return Object.entries(metricsOf(model, node)).map(([metric, value]) => [`${node}.${metric}`, value]);
    }),
  );
}

/** Metrics as a property keeps them; as many as there is room for. @param first names that come before the others */
export function writeMetrics(metrics: ReadonlyMap<string, number>, first: ReadonlySet<string>): string {
  const finite = [...metrics].filter(([, value]) => Number.isFinite(value));
  const inOrder = finite.toSorted(([one], [other]) => Number(first.has(other)) - Number(first.has(one)));
  const kept: Record<string, number> = {};
  for (const [name, value] of inOrder) {
    if (JSON.stringify({ ...kept, [name]: value }).length > longestMetrics) break;
    kept[name] = value;
  }
  return JSON.stringify(kept);
}

// Registered models as the API tells of them.
import {
  allMetricsOf,
  championOf,
  modelProperties,
  newestFirst,
  type RegisteredModel,
  stageTag,
} from "#shared/domain/promotion/registered-model.ts";
import type { ModelDocument, ModelList, ModelVersionDocument } from "#shared/domain/promotion/documents.ts";
import { formerStage } from "#shared/domain/promotion/promotion-plan.ts";

/** @param all every version of the model */
export function toModelDocument(name: string, all: readonly RegisteredModel[]): ModelDocument {
  const shown = all.filter(({ isArchived }) => !isArchived).toSorted(newestFirst);
  return { name, versions: shown.map((model) => toVersionDocument(model, all)) };
}

export function toVersionDocument(model: RegisteredModel, all: readonly RegisteredModel[]): ModelVersionDocument {
  const { name, version, type, uri, tags, properties, jobName, createdTime } = model;
  const { [stageTag]: stage } = tags;
  const {
    [modelProperties.run]: runId,
    [modelProperties.pipeline]: pipeline,
    [modelProperties.approvedBy]: approvedBy,
  } = properties;
  return {
    name,
    version,
    ...(stage === undefined ? {} : { stage }),
    isChampion: stage !== undefined && stage !== formerStage && championOf(all, stage)?.version === version,
    type,
    uri,
    metrics: allMetricsOf(model),
    ...(runId === undefined ? {} : { runId }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(jobName === undefined ? {} : { jobName }),
    ...(approvedBy === undefined ? {} : { approvedBy }),
    ...(createdTime === undefined ? {} : { createdTime }),
    tags: { ...tags },
    properties: { ...properties },
  };
}

export function toListed(name: string, all: readonly RegisteredModel[]): ModelList["models"][number] {
  const shown = all.filter(({ isArchived }) => !isArchived).toSorted(newestFirst);
  const stages = new Set(shown.flatMap(({ tags }) => tags[stageTag] ?? []));
  const champions = [...stages].flatMap((stage) => {
    const champion = stage === formerStage ? undefined : championOf(all, stage);
    return champion === undefined ? [] : [[stage, champion.version] as const];
  });
  const latestVersion = shown[0]?.version;
  return {
    name,
    ...(latestVersion === undefined ? {} : { latestVersion }),
    versions: shown.length,
    champions: Object.fromEntries(champions),
  };
}

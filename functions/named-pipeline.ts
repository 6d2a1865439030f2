// A pipeline by its name: a file of the app, else the latest registered one, else an error that names those there are.
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import { nearestName } from "#shared/domain/nearest-name.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "./app.ts";

/** As a request for a run takes it. */
export interface NamedPipeline {
  readonly document: PipelineDocument;
  readonly name: string;
  /** As it was asked for: `name`, or `name:version`. */
  readonly reference: string;
  /** Of a registered one. */
  readonly pipelineVersion?: string;
}

/**
 * @param version of a registered pipeline; absent prefers a deployed one
 * @throws MlpipeError `NotFound`; `InvalidRequest` with every issue of the file
 */
export async function loadNamedPipeline(
  { pipelines, registry }: Pick<App, "pipelines" | "registry">,
  name: string,
  version?: string,
): Promise<NamedPipeline> {
  if (version === undefined && (await pipelines.names()).includes(name))
    return { document: (await pipelines.load(name)).document, name, reference: name };
  const found = await registry.pipeline(name, version);
  const reference = version === undefined ? name : `${name}:${version}`;
  if (found !== undefined) return { document: found.document, name, reference, pipelineVersion: found.version };
  throw await missingPipeline({ pipelines, registry }, name, version);
}

/** The error that says what there is in place of a registered pipeline. */
export async function missingPipeline(
  { pipelines, registry }: Pick<App, "pipelines" | "registry">,
  name: string,
  version: string | undefined,
): Promise<MlpipeError> {
  const deployed = await pipelines.names();
  const text = deployed.includes(name)
    ? `Pipeline ${name} is deployed with the app and has no versions`
    : await explainMissing(registry, deployed, name, version);
  return new MlpipeError("NotFound", text);
}

const namedAtMost = 10;

async function explainMissing(
  registry: App["registry"],
  deployed: readonly string[],
  name: string,
  version: string | undefined,
): Promise<string> {
  const versions = version === undefined ? [] : await registry.pipelineVersions(name);
  if (versions.length > 0) {
    const known = versions.slice(0, namedAtMost).map((each) => each.version);
    return `Pipeline ${name} has no version ${version}; it has ${listed(known, versions.length)}`;
  }
  const names = [...deployed, ...(await registry.pipelines()).map((each) => each.name)];
  const near = nearestName(name, names);
  if (near !== undefined) return `There is no pipeline ${name}; did you mean ${near}?`;
  if (names.length === 0) return `There is no pipeline ${name}, and no other`;
  return `There is no pipeline ${name}; there is ${listed(names.toSorted().slice(0, namedAtMost), names.length)}`;
}

function listed(names: readonly string[], count: number): string {
  const more = count - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

// A pipeline by its name: a file of the app, else the latest registered one, else an error that names those there are.
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import type { App } from "./app.ts";

/**
 * @param version of a registered pipeline; absent prefers a deployed one
 * @throws MlpipeError `NotFound`; `InvalidRequest` with every issue of the file
 */
export async function loadNamedPipeline(
  { pipelines, registry }: Pick<App, "pipelines" | "registry">,
  name: string,
  version?: string,
): Promise<PipelineDocument> {
  const isDeployed = version === undefined && (await pipelines.names()).includes(name);
  const registered = isDeployed ? undefined : await registry.pipeline(name, version);
  return (registered ?? (await pipelines.load(name))).document;
}

// A standalone job is a pipeline of one node. Its inputs and outputs become the pipeline's, so that they can be given and
// found like any other's.
import type { Issue } from "../errors.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";

const nodeName = "job";
/** Fields that say something of the run as a whole. */
const pipelineFields = ["name", "display_name", "experiment_name", "description", "tags"];

const wrapped = new WeakSet<object>();

/** An issue of `document` with the path that its author wrote, who has no `jobs:` where the pipeline was made here. */
export function asWritten({ jobs }: PipelineDocument, issue: Issue): Issue {
  if (!isMapping(jobs) || !wrapped.has(jobs)) return issue;
  return { ...issue, path: issue.path.replace(new RegExp(`^jobs\\.${nodeName}(?:\\.|$)`), "") };
}

/** The document as a pipeline job. */
export function wrapJob(document: Mapping): PipelineDocument {
  // Whatever is called a pipeline has this type; whether its fields are right is told where the plan is made.
  if (document.type === "pipeline") return document as PipelineDocument;
  const pipeline: Record<string, unknown> = {};
  const node: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(document)) (pipelineFields.includes(key) ? pipeline : node)[key] = value;
  delete node.$schema;
  if (isMapping(document.inputs)) {
    pipeline.inputs = document.inputs;
    node.inputs = bindings(document.inputs, "inputs");
  }
  if (isMapping(document.outputs)) {
    pipeline.outputs = document.outputs;
    node.outputs = bindings(document.outputs, "outputs");
  }
  const jobs = keepSource(document, { [nodeName]: keepSource(document, node) });
  wrapped.add(jobs);
  return keepSource(document, { ...pipeline, type: "pipeline" as const, jobs });
}

function bindings(ports: Mapping, side: "inputs" | "outputs"): Mapping {
  return keepSource(
    ports,
    Object.fromEntries(Object.keys(ports).map((name) => [name, `\${{parent.${side}.${name}}}`])),
  );
}

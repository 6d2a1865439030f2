// What TypeScript was told of a component file against what the file says.
import type { PipelineDocument } from "#shared/domain/pipeline-document.ts";
import { type Mapping, describe, isMapping } from "#shared/domain/shape.ts";
import { fileOf } from "#shared/domain/source-map.ts";
import type { Issue } from "#shared/errors.ts";
import type { Component } from "./component.ts";
import { type Pipeline, isPipeline } from "./pipeline.ts";

/** @param loaded - the pipeline's document with the files it names read in */
export function checkPorts(pipeline: Pipeline, loaded: PipelineDocument): Issue[] {
  return checkNodes(pipeline, loaded, "jobs");
}

function checkNodes(pipeline: Pipeline, loaded: Mapping, path: string): Issue[] {
  const jobs = isMapping(loaded.jobs) ? loaded.jobs : {};
  return [...pipeline.components].flatMap(([name, component]) => {
    const node = jobs[name];
    const found = isMapping(node) ? (node.component ?? node.trial) : undefined;
    if (!isMapping(found)) return [];
    const at = `${path}.${name}`;
    if (isPipeline(component)) return checkNodes(component, found, `${at}.component.jobs`);
    return typeof component.source === "string" ? checkComponent(component, found, at) : [];
  });
}

function checkComponent(component: Component, found: Mapping, path: string): Issue[] {
  const file = fileOf(found);
  const differences = [
    ...differencesIn("input", component.inputs, found.inputs),
    ...differencesIn("output", component.outputs, found.outputs),
    ...(found.type === undefined || found.type === component.kind
      ? []
      : [`it is a ${describe(found.type)}, not a ${component.kind}`]),
  ];
  return differences.map((difference) => ({
    path,
    severity: "error",
    message: `${file ?? "the component"} is not what TypeScript was told of it: ${difference}; \`mlpipe types\` writes it anew`,
    ...(file === undefined ? {} : { file }),
  }));
}

function differencesIn(side: string, told: Mapping, found: unknown): string[] {
  const written = isMapping(found) ? found : {};
  const missing = Object.keys(told).filter((name) => !Object.hasOwn(written, name));
  const unknown = Object.keys(written).filter((name) => !Object.hasOwn(told, name));
  const others = Object.keys(told).flatMap((name) => {
    const [expected, actual] = [factsOf(told[name]), factsOf(written[name])];
    if (!Object.hasOwn(written, name) || expected === actual) return [];
    return [`its ${side} \`${name}\` is ${actual}, not ${expected}`];
  });
  return [
    ...missing.map((name) => `it has no ${side} \`${name}\``),
    ...unknown.map((name) => `it has the ${side} \`${name}\` too`),
    ...others,
  ];
}

/** All that the types of a port depend on. */
function factsOf(port: unknown): string {
  if (!isMapping(port)) return "uri_folder";
  const { type = "uri_folder", optional, default: standard, enum: allowed } = port;
  const type_ = String(type).toLowerCase();
  const has =
    standard !== undefined && standard !== null ? " with a default" : optional === true ? " and optional" : "";
  return `${type_ === "path" ? "uri_folder" : type_}${Array.isArray(allowed) ? ` of ${allowed.join(", ")}` : ""}${has}`;
}

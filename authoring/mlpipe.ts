// What `import ... from "mlpipe"` gives: pipelines and components in TypeScript.
export { commandComponent } from "./command-component.ts";
export type { Component } from "./component.ts";
export { loadComponent } from "./load-component.ts";
export { parallelComponent } from "./parallel-component.ts";
export { type Pipeline, type PipelineBody, pipeline } from "./pipeline.ts";
export {
  boolean,
  customModel,
  integer,
  mlflowModel,
  mltable,
  number,
  string,
  tritonModel,
  uriFile,
  uriFolder,
} from "./ports.ts";
export type { DataReference, LiteralReference, Node, NodeOutput } from "./references.ts";
export {
  choice,
  lognormal,
  loguniform,
  normal,
  qlognormal,
  qloguniform,
  qnormal,
  quniform,
  randint,
  uniform,
} from "./search-space.ts";

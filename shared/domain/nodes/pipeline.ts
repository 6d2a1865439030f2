// A pipeline as a step of another. It becomes the nodes inside it, named `outer.inner`.
import { bindFields } from "../bind-fields.ts";
import { fieldOf, subPath } from "../issue-list.ts";
import { sourceOf } from "../outputs.ts";
import type { PlanCompiler } from "../pipeline-scope.ts";
import { anything, flag, isMapping, type Mapping, mapping, shape, text } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { inputsOf } from "../step-inputs.ts";
import { componentFields, nodeFields } from "./fields.ts";
import { pipelineExtension } from "./mlpipe-fields.ts";
import type { NodeKind } from "./node-kind.ts";

const settings = shape({
  default_compute: text,
  default_datastore: text,
  continue_on_step_failure: flag,
  force_rerun: flag,
  on_init: text,
  on_finalize: text,
  mlpipe: pipelineExtension,
});

const nodeShape = shape({ ...nodeFields, settings });
const componentShape = shape({ ...componentFields, jobs: anything, settings, compute: text });

/** The fields of a pipeline job. */
export const pipelineShape = shape({
  ...componentFields,
  component: anything,
  experiment_name: text,
  compute: text,
  settings,
  // What is wrong with it is told where it is made into nodes.
  jobs: anything,
  identity: mapping,
});

export const pipeline: NodeKind = {
  type: "pipeline",

  async load(spec, loader, path) {
    if (!isMapping(spec.jobs)) return spec;
    const jobs: Record<string, unknown> = {};
    for (const [name, node] of Object.entries(spec.jobs)) {
      jobs[name] = isMapping(node) ? await loader.node(node, subPath(subPath(path, "jobs"), name)) : node;
    }
    return keepSource(spec, { ...spec, jobs: keepSource(spec.jobs, jobs) });
  },

  sourceOf(step, output, field, compiler) {
    if (step.component === undefined) return undefined;
    const inner = compiler.inside(step, step.component).promoted.get(output);
    if (inner !== undefined) return sourceOf(inner.step, inner.output, field, compiler);
    compiler.list.error(field, `no node of the sub-pipeline \`${step.name}\` makes its output \`${output}\``);
    return undefined;
  },

  compile(step, compiler) {
    nodeShape(bindFields(step, compiler), step.field, compiler.list);
    inputsOf(step, compiler);
    if (step.isUnknown) return;
    if (step.component === undefined) {
      compiler.list.error(step.field, "a sub-pipeline needs a `component:`");
      return;
    }
    componentShape(step.component, fieldOf(step.path, step.node, "component"), compiler.list);
    warnOfSettings(step.node, step.path, compiler);
    warnOfSettings(step.component, `${step.path}.component`, compiler);
    compiler.compile(compiler.inside(step, step.component));
  },
};

/** Only the outermost pipeline has a first node and a last. */
function warnOfSettings(holder: Mapping, path: string, { list }: PlanCompiler): void {
  const { settings: said } = holder;
  if (!isMapping(said)) return;
  for (const key of ["on_init", "on_finalize"]) {
    if (said[key] === undefined || said[key] === null) continue;
    const field = fieldOf(subPath(path, "settings"), said, key);
    list.warn(field, `\`${key}\` has no effect in a sub-pipeline; say it in the outermost`, { atKey: true });
  }
  const { mlpipe } = said;
  if (isMapping(mlpipe) && mlpipe.promote !== undefined) {
    const field = fieldOf(subPath(subPath(path, "settings"), "mlpipe"), mlpipe, "promote");
    list.warn(field, "`promote` has no effect in a sub-pipeline; say it in the outermost", { atKey: true });
  }
}

// A command job: the one kind that runs as it is.
import { whyNoArgument } from "../argument-text.ts";
import { bindFields } from "../bind-fields.ts";
import { readCode } from "../code-reference.ts";
import { readEnvironment } from "../environment-reference.ts";
import { commandExpressions } from "../expressions.ts";
import { sizesToTry } from "../instance-types.ts";
import { type Field, type IssueList, fieldOf } from "../issue-list.ts";
import { mergePolicies } from "../node-policy.ts";
import { settingsOf } from "../outputs.ts";
import type { Step } from "../pipeline-scope.ts";
import type { PlanNode, PlanOutput } from "../plan.ts";
import { type Mapping, isMapping, shape } from "../shape.ts";
import { readOnce } from "../read-once.ts";
import { inputsOf } from "../step-inputs.ts";
import { readCommand } from "./command-text.ts";
import { commandFields, componentFields, nodeFields } from "./fields.ts";
import type { NodeKind } from "./node-kind.ts";
import { computeOf } from "./compute.ts";
import { planInputs } from "./plan-inputs.ts";
import { toNodePolicy } from "./mlpipe-fields.ts";

const nodeShape = shape({ ...nodeFields, ...commandFields });
const componentShape = readOnce(shape({ ...componentFields, ...commandFields }));
type NodeSettings = NonNullable<ReturnType<typeof nodeShape>>;

export const command: NodeKind = {
  type: "command",

  async load(spec, loader, path) {
    return loader.environment(await loader.code(spec, path), path);
  },

  compile(step, compiler) {
    const bound = bindFields(step, compiler);
    const node = nodeShape(bound, step.field, compiler.list) ?? {};
    const component =
      step.component === undefined
        ? {}
        : (componentShape(step.component, fieldOf(step.path, step.node, "component"), compiler.list) ?? {});
    const inputs = inputsOf(step, compiler);
    if (step.isUnknown) return;
    const [scriptValue, scriptField] = declaredField("command", step, bound);
    const outputs = planOutputs(step, typeof scriptValue === "string" ? scriptValue : "");
    const hasComponent = step.component !== undefined;
    const names = new Set(Object.keys(outputs));
    const script = readCommand(scriptValue, scriptField, inputs, names, hasComponent, compiler.list);
    const environment = readEnvironment(...declaredField("environment", step, bound), compiler.list);
    const [codeValue, codeField] = declaredField("code", step, bound);
    const code = typeof codeValue === "string" ? readCode(codeValue, codeField, compiler.list) : undefined;
    const resources = { ...component.resources, ...node.resources };
    const ownResources = [node.resources, component.resources].map((each) => each?.properties?.own);
    const [nodePolicy, componentPolicy] = ownResources.map((own) => (own === undefined ? own : toNodePolicy(own)));
    const policy = mergePolicies(nodePolicy, componentPolicy);
    const distribution = node.distribution ?? component.distribution;
    const timeout = node.limits?.timeout ?? component.limits?.timeout;
    const displayName = node.display_name ?? component.display_name;
    const compute = computeOf(node.compute, step, compiler);
    checkVariables(component.environment_variables, fieldOf(step.path, step.node, "component").path, compiler.list);
    checkVariables(node.environment_variables, step.path, compiler.list);
    if (environment === undefined) return;
    const planNode: PlanNode = {
      name: step.flatName,
      kind: "command",
      ...(displayName === undefined ? {} : { displayName }),
      component: {
        name: component.name ?? step.name,
        ...(component.version === undefined ? {} : { version: component.version }),
      },
      command: script,
      ...(code === undefined ? {} : { code }),
      environment,
      inputs: planInputs(inputs, step),
      outputs,
      environmentVariables: { ...component.environment_variables, ...node.environment_variables },
      ...(compute === undefined ? {} : { compute }),
      resources: planResources(
        resources,
        ownResources.find((own) => own?.instance_type_fallbacks !== undefined),
      ),
      ...(policy === undefined ? {} : { policy }),
      ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
      ...(distribution === undefined ? {} : { distribution: { ...distribution } }),
      ...(node.identity === undefined ? {} : { identity: { ...node.identity } }),
      ...(node.services === undefined ? {} : { services: node.services }),
      ...(node.queue_settings === undefined ? {} : { queueSettings: { ...node.queue_settings } }),
      tags: node.tags ?? {},
      isDeterministic: component.is_deterministic ?? node.is_deterministic ?? true,
      forceRerun: step.scope.forceRerun || (node.settings?.force_rerun ?? false),
    };
    compiler.add(planNode, step.field);
  },
};

function checkVariables(variables: Readonly<Record<string, string>> | undefined, path: string, list: IssueList): void {
  for (const [name, value] of Object.entries(variables ?? {})) {
    const isName = name !== "" && !/[=\0]/.test(name);
    const reason = isName ? whyNoArgument(value) : "has no name that a variable can have";
    if (reason !== undefined)
      list.error({ path: `${path}.environment_variables.${name}` }, `the variable \`${name}\` ${reason}`);
  }
}

/** What the node says of a field, or else its component, with the place where it is said. */
function declaredField(key: string, step: Step, bound: Mapping): [unknown, Field] {
  if (bound[key] !== undefined && bound[key] !== null) return [bound[key], fieldOf(step.path, bound, key)];
  if (step.component === undefined) return [undefined, step.field];
  return [step.component[key], fieldOf(`${step.path}.component`, step.component, key)];
}

function planOutputs(step: Step, script: string): Record<string, PlanOutput> {
  const written = new Set(commandExpressions(script).flatMap(({ scope, name }) => (scope === "outputs" ? [name] : [])));
  const declared = isMapping(step.component?.outputs) ? step.component.outputs : {};
  return Object.fromEntries(
    [...step.outputs.keys()].map((name) => {
      const { type = "uri_folder", ...settings } = settingsOf(step, name);
      const isArtifacts = name === "artifacts" && !written.has(name) && !Object.hasOwn(declared, name);
      return [name, { type, ...settings, ...(isArtifacts ? { isArtifacts: true as const } : {}) }];
    }),
  );
}

function planResources(
  resources: NonNullable<NodeSettings["resources"]>,
  own: { readonly instance_type_fallbacks?: readonly string[] } | undefined,
): PlanNode["resources"] {
  const properties = resources.properties?.service ?? {};
  const fallbacks = own?.instance_type_fallbacks;
  const wanted = Array.isArray(resources.instance_type) ? resources.instance_type.map(String) : undefined;
  const first = wanted?.[0] ?? (typeof resources.instance_type === "string" ? resources.instance_type : undefined);
  return {
    instanceTypes: sizesToTry(
      first,
      fallbacks ?? (wanted !== undefined && wanted.length > 1 ? wanted.slice(1) : undefined),
    ),
    instanceCount: resources.instance_count ?? 1,
    ...(resources.shm_size === undefined ? {} : { shmSize: resources.shm_size }),
    ...(resources.docker_args === undefined ? {} : { dockerArgs: resources.docker_args }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

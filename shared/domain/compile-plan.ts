import type { Issue } from "../errors.ts";
import type { InputValue } from "./input-value.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import type { Plan } from "./plan.ts";

/** What only a workspace knows: registered components and data. */
export interface AssetResolver {
  /** The specification of a registered component (`azureml:name:version` and every other form), or undefined when there is none. */
  component(reference: string): Promise<unknown>;
  /** Where a registered data asset lies; without this, the reference itself goes into the plan. */
  data?(reference: string): Promise<{ uri: string; type: string } | undefined>;
}

export interface CompileOptions {
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly assets?: AssetResolver;
  readonly name?: string;
  readonly experimentName?: string;
  readonly displayName?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export type CompileResult =
  | { readonly plan: Plan; readonly warnings: readonly Issue[] }
  | { readonly plan: undefined; readonly issues: readonly Issue[] };

/** The static plan of a document with its inputs filled in, or every reason why there is none. */
export async function compilePlan(
  document: PipelineDocument,
  options: CompileOptions,
): Promise<CompileResult> {
  void options;
  throw new Error(`not built yet: ${document.type}`);
}

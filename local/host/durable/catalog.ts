// Which registered function answers to a name. The host compares names without case.
import type { FunctionMetadata, Worker } from "../contract.ts";

export type DurableKind = "orchestration" | "activity" | "entity";

export interface DurableFunction {
  readonly name: string;
  /** Name of the trigger binding. */
  readonly binding: string;
}

export type Catalog = ReturnType<typeof createCatalog>;

/** Looks the worker's functions up lazily: it may load its app after the extension is made. */
export function createCatalog(worker: Worker) {
  let tables: Record<DurableKind, Map<string, DurableFunction>> | undefined;
  const load = () => (tables ??= tabulate(worker.functions));
  return {
    find: (kind: DurableKind, name: string) => load()[kind].get(name.toLowerCase()),
    names: (kind: DurableKind) => [...load()[kind].values()].map(({ name }) => name),
  };
}

function tabulate(functions: readonly FunctionMetadata[]): Record<DurableKind, Map<string, DurableFunction>> {
  const tables = { orchestration: new Map(), activity: new Map(), entity: new Map() };
  for (const { name, bindings } of functions) {
    for (const kind of ["orchestration", "activity", "entity"] as const) {
      const binding = Object.keys(bindings).find((key) => bindings[key]?.type === `${kind}Trigger`);
      if (binding !== undefined) tables[kind].set(name.toLowerCase(), { name, binding });
    }
  }
  return tables;
}

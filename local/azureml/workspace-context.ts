import type { Counters } from "./counters.ts";
import type { Catalog } from "./environments/catalog.ts";
import type { FaultPlan, Faults } from "./faults.ts";
import type { JobKinds } from "./job-kind.ts";
import type { JobLifecycle } from "./job-lifecycle.ts";
import type { JobStore } from "./job-store.ts";
import type { Tracking } from "./mlflow.ts";
import type { ResourceStore } from "./resource-store.ts";
import type { Store } from "./store.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";
import type { DatastoreResolver, Executor } from "./executor/contract.ts";

/** What the routes share: made once by the server, handed to every group. */
export interface WorkspaceContext {
  readonly scope: WorkspaceScope;
  /** Host and port of the https listener. */
  readonly host: string;
  readonly store: Store;
  readonly jobs: JobStore;
  readonly resources: ResourceStore;
  readonly datastores: DatastoreResolver;
  readonly kinds: JobKinds;
  readonly lifecycle: JobLifecycle;
  readonly tracking: Tracking;
  readonly faults: FaultPlan;
  /** New faults for requests and for run events. */
  readonly replaceFaults: (faults: Faults) => Faults;
  readonly counters: Counters;
  readonly catalog: Catalog;
  readonly executor: Pick<Executor, "findFault">;
}

export type Log = (level: "debug" | "info" | "warn" | "error", fields: Record<string, unknown>, text: string) => void;

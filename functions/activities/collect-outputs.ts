import type { Blobs } from "#shared/azure/blob.ts";
import { EndMarker } from "#shared/domain/end-marker.ts";
import { type AttemptPlace, endMarkerPath } from "#shared/domain/layout.ts";
import type { Plans } from "#shared/plans.ts";
import type { Assets } from "../assets.ts";

/** URIs of what a completed attempt wrote, for the nodes downstream. */
export function createCollectOutputs({ blobs, plans, assets }: { blobs: Blobs; plans: Plans; assets: Assets }) {
  return async function collectOutputs(place: AttemptPlace) {
    const { plan } = await plans.get(place.runId);
    const node = plan.nodes.find(({ name }) => name === place.node);
    if (node === undefined) throw new Error(`the plan of ${place.runId} has no node ${place.node}`);
    const entries = Object.keys(node.outputs).map(
      async (output) => [output, await assets.outputUri(node, output, place)] as const,
    );
    const [outputs, exitCode] = await Promise.all([Promise.all(entries), readExitCode(blobs, place)]);
    return {
      outputs: Object.fromEntries(outputs),
      ...(exitCode === undefined ? {} : { exitCode }),
    };
  };
}

/** The exit code an attempt's end marker tells, or undefined when there is none. */
export async function readExitCode(blobs: Blobs, place: AttemptPlace): Promise<number | undefined> {
  const text = await blobs.readText(endMarkerPath(place));
  if (text === undefined) return undefined;
  try {
    return EndMarker.parse(JSON.parse(text)).exitCode;
  } catch {
    return undefined;
  }
}

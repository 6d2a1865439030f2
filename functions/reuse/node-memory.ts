// What is remembered of completed nodes, as blobs beside the outputs. An entry per key is the truth; what a pipeline's or a run's
// nodes have made lately is written down together, so that a whole graph is looked up by one read.
import type { Blobs } from "#shared/azure/blob.ts";
import type { FileVersion } from "#shared/domain/data-identity.ts";
import {
  cacheEntriesFolder,
  cacheEntryPath,
  dataFilesPath,
  pipelineCachePath,
  referencesFolder,
  rememberedNodesPath,
  reusedFolder,
} from "#shared/domain/layout.ts";
import { shapeOf } from "#shared/domain/node-key.ts";
import { ReusedResult } from "#shared/domain/node-result.ts";
import { CacheEntry, RememberedNode, RememberedNodes, toRememberedNode } from "#shared/domain/remembered-node.ts";
import { z } from "zod";
import { inBatches } from "../in-batches.ts";

/** Nodes of a pipeline that are told together; the latest stay. */
const nodesPerPipeline = 20_000;
/** Nodes that this process keeps in mind from the moment they are remembered. */
const keptInMind = 5_000;
/** Files of one input that are kept for explanations. */
const explainedFiles = 2_000;
/** From here on a list of names comes before the reads. */
const keysWorthAList = 24;
const pageOfNames = 5_000;

const DataFile = z.object({ path: z.string(), size: z.number(), md5: z.string().optional(), etag: z.string() });
const ReusedNote = z.object({ reused: z.array(ReusedResult) });

export type NodeMemory = ReturnType<typeof createNodeMemory>;

export function createNodeMemory({ blobs }: { blobs: Blobs }) {
  const inMind = new Map<string, RememberedNode>();
  const writtenData = new Set<string>();

  async function read<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S> | undefined> {
    const text = await blobs.readText(path);
    if (text === undefined) return undefined;
    // What a newer or older version of this app has written counts as nothing written, and so does what was read in half.
    try {
      return schema.safeParse(JSON.parse(text)).data;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Of two writers at once one may be lost: it is a hint. */
  const writeLatest = merged(async (pipeline: string, nodes: Readonly<Record<string, RememberedNode>>) => {
    const before = (await read(RememberedNodes, pipelineCachePath(pipeline)))?.nodes ?? {};
    const all = Object.entries({ ...before, ...nodes });
    const kept = all
      .toSorted(([, one], [, other]) => other.endTime.localeCompare(one.endTime))
      .slice(0, nodesPerPipeline);
    await blobs.writeText(pipelineCachePath(pipeline), JSON.stringify({ nodes: Object.fromEntries(kept) }));
  });

  const entry = (key: string): Promise<CacheEntry | undefined> => read(CacheEntry, cacheEntryPath(key));

  /** Many questions of one moment are answered by the names of a page, one by a name that begins so. */
  const hasShape = collected(async (shapes: readonly string[]) => {
    const names = shapes.length < keysWorthAList ? undefined : await blobs.names(cacheEntriesFolder, pageOfNames);
    if (names !== undefined) {
      const known = new Set([...names].map((name) => shapeOf(name.slice(cacheEntriesFolder.length))));
      return shapes.map((shape) => known.has(shape));
    }
    return inBatches(shapes, async (shape) => (await blobs.names(`${cacheEntriesFolder}${shape}-`, 1))?.size !== 0);
  });

  return {
    entry,

    /** The entries of those keys that have one. */
    async entries(keys: readonly string[]): Promise<Map<string, CacheEntry>> {
      // Of many keys most are new, and the names of a page tell so at once.
      const names = keys.length < keysWorthAList ? undefined : await blobs.names(cacheEntriesFolder, pageOfNames);
      const wanted = names === undefined ? keys : keys.filter((key) => names.has(cacheEntryPath(key)));
      const found = await inBatches(wanted, entry);
      return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.key, one]])));
    },

    /** Whether there is any entry of a shape. */
    hasShape,

    /** Remembers what a node has made. What is not reusable never takes the place of what is. */
    async remember(entry: CacheEntry): Promise<RememberedNode> {
      const node = toRememberedNode(entry);
      const oldest = inMind.keys().next();
      if (inMind.size >= keptInMind && oldest.done !== true) inMind.delete(oldest.value);
      inMind.set(`${node.runId} ${node.node}`, node);
      const text = JSON.stringify(entry);
      if (entry.isReusable) await blobs.writeText(cacheEntryPath(entry.key), text);
      else await blobs.createText(cacheEntryPath(entry.key), text);
      return node;
    },

    /** The latest nodes of a pipeline by name; none when nothing has completed yet. */
    async latest(pipeline: string): Promise<Record<string, RememberedNode>> {
      return (await read(RememberedNodes, pipelineCachePath(pipeline)))?.nodes ?? {};
    },

    /** Adds to the latest nodes of a pipeline. */
    async addLatest(pipeline: string, nodes: Readonly<Record<string, RememberedNode>>): Promise<void> {
      if (Object.keys(nodes).length > 0) await writeLatest(pipeline, nodes);
    },

    /** A node that this process has just remembered. */
    justRemembered: (runId: string, node: string): RememberedNode | undefined => inMind.get(`${runId} ${node}`),

    /** Writes down what the nodes of an ended run have made, for runs that continue it. */
    writeRun: (runId: string, nodes: Readonly<Record<string, RememberedNode>>): Promise<void> =>
      blobs.writeText(rememberedNodesPath(runId), JSON.stringify({ nodes })),

    /** What the nodes of an ended run have made or reused. */
    async readRun(runId: string): Promise<Record<string, RememberedNode>> {
      const [own, reused] = await Promise.all([
        read(RememberedNodes, rememberedNodesPath(runId)),
        this.reusedBy(runId),
      ]);
      const others = reused.map((result): [string, RememberedNode] => {
        const { key, outputs, identities, reusedFrom, node, startTime, endTime, jobName } = result;
        const described = Object.entries(outputs).map(([name, uri]) => [name, { uri, identity: identities[name] }]);
        const remembered = {
          key,
          isReusable: false,
          runId: reusedFrom.runId,
          node,
          jobName,
          startTime,
          endTime,
          outputs: Object.fromEntries(described),
        };
        return [node, RememberedNode.parse(remembered)];
      });
      return { ...own?.nodes, ...Object.fromEntries(others) };
    },

    /** Says which nodes a run has reused, and to each run whose outputs they are that they are read. */
    async noteReused(runId: string, reused: readonly ReusedResult[]): Promise<void> {
      const [first] = reused;
      if (first === undefined) return;
      const others = new Set(reused.map(({ reusedFrom }) => reusedFrom.runId));
      await Promise.all([
        blobs.writeText(`${reusedFolder(runId)}${first.node}.json`, JSON.stringify({ reused })),
        ...[...others].map((other) =>
          blobs.writeText(`${referencesFolder(other)}${runId}.json`, JSON.stringify({ runId })),
        ),
      ]);
    },

    /** Every node that a run has reused so far. */
    async reusedBy(runId: string): Promise<ReusedResult[]> {
      const folder = reusedFolder(runId);
      const notes = await inBatches(await blobs.list(folder), ({ path }) => read(ReusedNote, `${folder}${path}`));
      return notes.flatMap((note) => note?.reused ?? []);
    },

    /** Keeps the files of data by its identity, for explanations; of more files than anybody reads, none. */
    async keepFiles(identity: string, files: readonly FileVersion[]): Promise<void> {
      if (writtenData.has(identity) || files.length > explainedFiles) return;
      await blobs.createText(dataFilesPath(identity), JSON.stringify(files));
      if (writtenData.size >= keptInMind) writtenData.clear();
      writtenData.add(identity);
    },

    async files(identity: string): Promise<FileVersion[] | undefined> {
      const found = await read(z.array(DataFile), dataFilesPath(identity));
      return found?.map(({ md5, ...file }) => ({ ...file, ...(md5 === undefined ? {} : { md5 }) }));
    },
  };
}

/** Writes one after the other by name, and together what came meanwhile: a thousand runs that end at once write a few times. */
function merged<T>(
  write: (name: string, values: Readonly<Record<string, T>>) => Promise<void>,
): (name: string, values: Readonly<Record<string, T>>) => Promise<void> {
  const writing = new Map<string, Promise<void>>();
  const waiting = new Map<string, { values: Record<string, T>; written: Promise<void> }>();

  async function start(name: string): Promise<void> {
    await writing.get(name)?.catch(() => undefined);
    const values = waiting.get(name)?.values ?? {};
    waiting.delete(name);
    const written = write(name, values).finally(() => {
      if (writing.get(name) === written) writing.delete(name);
    });
    writing.set(name, written);
    await written;
  }

  return (name, values) => {
    const joined = waiting.get(name);
    if (joined !== undefined) {
      Object.assign(joined.values, values);
      return joined.written;
    }
    const batch = { values: { ...values }, written: Promise.resolve() };
    waiting.set(name, batch);
    batch.written = start(name);
    return batch.written;
  };
}

/** Answers the questions of one turn of the event loop together, each asked once. */
function collected(
  ask: (questions: readonly string[]) => Promise<readonly boolean[]>,
): (question: string) => Promise<boolean> {
  let open: Map<string, PromiseWithResolvers<boolean>> | undefined;
  return (question) => {
    const asked = (open ??= new Map());
    if (asked.size === 0) {
      setImmediate(() => {
        open = undefined;
        const waiting = [...asked.values()];
        ask([...asked.keys()]).then(
          (answers) => waiting.forEach(({ resolve }, index) => resolve(answers[index] === true)),
          (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
        );
      });
    }
    const answer = asked.get(question) ?? Promise.withResolvers<boolean>();
    asked.set(question, answer);
    return answer.promise;
  };
}

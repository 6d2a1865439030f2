import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { RunDocument } from "#shared/domain/run.ts";
import { chooseDataset } from "../choose-dataset.ts";
import { type Connection, connectOrStart, homeOf } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { downloadFile, listFiles } from "../download-outputs.ts";
import { finishRun } from "../finish-run.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { preparePipeline } from "../prepare-pipeline.ts";
import { startRun } from "../start-run.ts";
import { renderDemo } from "../views/render-demo.ts";
import { watchRun } from "../watch-run.ts";

interface DemoFlags extends ServerFlags {
  readonly input?: string;
  readonly epochs: number;
  readonly images: number;
  readonly json?: boolean;
}

const pipelineFile = fileURLToPath(new URL("../../pipelines/fashion_mnist.yml", import.meta.url));

export function createDemoCommand(context: CliContext): Command {
  return new Command("demo")
    .description("prepare, train and score an image classifier, whole, on this machine")
    .addOption(flags.dataset())
    .addOption(flags.epochs())
    .addOption(flags.images())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((options: DemoFlags) => demo(context, options));
}

async function demo(context: CliContext, options: DemoFlags): Promise<void> {
  const { terminal } = context;
  const { input, epochs, images } = options;
  const isJson = options.json === true;
  const stream = isJson ? terminal.stderr : terminal.stdout;
  const say = (line: string) => void stream.write(`${line}\n`);
  const folder = join(homeOf(options), "demo");

  const pipeline = await preparePipeline(context, pipelineFile);
  const dataset = await chooseDataset({ input, images, folder, onProgress: say });
  say(`Images: ${dataset.description}`);

  const interrupts = listenForInterrupts();
  const connection = await connectOrStart(context, options, interrupts);
  if (connection === undefined) return finishRun(context, undefined, { isJson, isOwn: true });
  try {
    const { client, isOwn } = connection;
    if (isOwn && !existsSync(join(homeOf(options), "environments"))) say(firstTime);
    const inputs = { data: dataset.path, epochs: String(epochs) };
    const { runId } = await startRun(terminal, client, { pipeline, inputs, displayName: "mlpipe demo" });
    say(`Run ${runId}: prep, train (${epochs} epochs) and score`);
    say("");
    const document = await watchRun(context, { connection, runId, interrupts, stream });
    if (document?.status !== "completed") return finishRun(context, document, { isJson, isOwn });
    await present(context, { connection, document, folder, dataset: dataset.path, say });
    if (isJson) terminal.out(JSON.stringify(document));
  } finally {
    await connection.stop();
    interrupts.release();
  }
}

const firstTime = `First run: a Python environment with Keras is built, which takes a few minutes, most of it downloads.
Later runs find it ready.`;

interface Presenting {
  readonly connection: Connection;
  readonly document: RunDocument;
  readonly folder: string;
  readonly dataset: string;
  readonly say: (line: string) => void;
}

async function present(
  { terminal, environment }: CliContext,
  { connection, document, folder, dataset, say }: Presenting,
): Promise<void> {
  const { client } = connection;
  const to = join(folder, document.runId);
  const paths: string[] = [];
  for (const file of await listFiles(client, document, {}))
    paths.push(await downloadFile(client, document.runId, file, to));
  const metrics = new Map<string, Awaited<ReturnType<typeof client.getMetrics>>>();
  for (const { name } of document.nodes) metrics.set(name, await client.getMetrics(document.runId, name));
  say("");
  const next = `${environment.programName} run ${relative(process.cwd(), pipelineFile)} --input data=${relative(process.cwd(), dataset)} --input epochs=10 --watch`;
  say(
    renderDemo(
      { document, metrics },
      paths.map((path) => relative(process.cwd(), path)),
      {
        colors: terminal.colorsFor(terminal.stdout),
        width: terminal.widthOf(terminal.stdout),
        now: Date.now(),
        next,
      },
    ),
  );
}

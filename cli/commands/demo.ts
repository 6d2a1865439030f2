import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { RunDocument } from "#shared/domain/run.ts";
import { type Dataset, chooseDataset } from "../choose-dataset.ts";
import type { Client } from "../client.ts";
import { connectOrStart, homeOf } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { downloadFile, jobLeavings, listFiles } from "../download-outputs.ts";
import { finishRun } from "../finish-run.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { type Hint, createHint } from "../hint.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { preparePipeline } from "../prepare-pipeline.ts";
import { readAllMetrics } from "../read-all-metrics.ts";
import { startRun } from "../start-run.ts";
import { renderDemo } from "../views/render-demo.ts";
import { shortPath } from "../views/short-path.ts";
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

  const hint = createHint(context, options);
  const interrupts = listenForInterrupts();
  const connection = await connectOrStart(context, options, interrupts);
  if (connection === undefined) return finishRun(context, undefined, { isJson, hint });
  try {
    const { client, isOwn } = connection;
    if (isOwn && (await isFirstTime(context))) say(firstTime);
    const inputs = { images: dataset.path, epochs: String(epochs) };
    const { runId } = await startRun(terminal, client, { pipeline, inputs, displayName: "mlpipe demo" });
    say(`Run ${runId}: prep, train (${epochs} ${epochs === 1 ? "epoch" : "epochs"}), score`);
    say("");
    const document = await watchRun(context, { connection, runId, interrupts, hint, stream });
    if (document?.status !== "completed") return finishRun(context, document, { isJson, hint });
    const to = join(folder, runId);
    const paths = await downloadAll(client, document, to);
    say("");
    say(await describeEnd(context, { client, document, dataset, to, paths, stream, hint }));
    if (isJson) terminal.out(JSON.stringify(document));
  } finally {
    await connection.stop();
    interrupts.release();
  }
}

const firstTime = `First run: Python with Keras and TensorFlow is installed for the jobs, 2.5 GB on
disk. That takes minutes, most of it downloads; later runs find it ready.`;

async function isFirstTime({ environment }: CliContext): Promise<boolean> {
  const { findCacheFolder } = await import("#local/stack-settings.ts");
  return !existsSync(join(findCacheFolder(environment.variables), "environments"));
}

async function downloadAll(client: Client, document: RunDocument, to: string): Promise<string[]> {
  const paths: string[] = [];
  const pictures = (await listFiles(client, document, { node: "train", output: jobLeavings })).filter(({ path }) =>
    path.endsWith(".png"),
  );
  for (const file of [...(await listFiles(client, document, {})), ...pictures]) {
    paths.push(relative(to, await downloadFile(client, document.runId, file, to)));
  }
  return paths;
}

interface DemoEnd {
  readonly client: Client;
  readonly document: RunDocument;
  readonly dataset: Dataset;
  readonly to: string;
  /** Below `to`. */
  readonly paths: readonly string[];
  readonly stream: NodeJS.WriteStream;
  readonly hint: Hint;
}

async function describeEnd({ terminal }: CliContext, end: DemoEnd): Promise<string> {
  const { client, document, dataset, to, paths, stream, hint } = end;
  const metrics = await readAllMetrics(client, document);
  return renderDemo({ document, metrics }, paths, {
    colors: terminal.colorsFor(stream),
    width: terminal.widthOf(stream),
    now: Date.now(),
    folder: shortPath(to),
    next: [
      hint(`run ${shortPath(pipelineFile)}`),
      `--input images=${shortPath(dataset.path)}`,
      "--input epochs=10 --watch",
    ],
  });
}

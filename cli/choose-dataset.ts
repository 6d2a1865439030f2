// What the demo runs on: what it was given, else the public Fashion-MNIST, else garments that we draw.
import { createHash } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { MlpipeError } from "#shared/errors.ts";
import { downloadDataset, hasDataset, isReachable } from "./download-dataset.ts";

export interface Dataset {
  /** A folder of this machine, or a URI that the workspace itself reads. */
  readonly path: string;
  /** Which it is, for the reader. */
  readonly description: string;
}

export interface DatasetChoice {
  readonly input: string | undefined;
  /** Training images to draw; a sixth as many are drawn for the test. */
  readonly images: number;
  /** Where downloads and drawings are kept. */
  readonly folder: string;
  readonly onProgress: (text: string) => void;
  /** Where the public set lies; Fashion-MNIST's own host when absent. */
  readonly publicUrl?: string;
}

/** The host that Fashion-MNIST's own README names. */
const fashionMnistUrl = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";
const seed = 1;

/** @throws MlpipeError when the given input is not there or cannot be downloaded. */
export async function chooseDataset(choice: DatasetChoice): Promise<Dataset> {
  const { input, folder, onProgress, publicUrl = fashionMnistUrl } = choice;
  if (input !== undefined) return useGiven(input, choice);

  const publicFolder = join(folder, "fashion-mnist");
  if (await hasDataset(publicFolder)) return { path: publicFolder, description: "Fashion-MNIST, downloaded before" };
  if (await isReachable(publicUrl)) {
    onProgress("Downloading Fashion-MNIST (about 30 MB)");
    try {
      await downloadDataset(publicUrl, publicFolder);
      return { path: publicFolder, description: "Fashion-MNIST, 60,000 training and 10,000 test images" };
    } catch {
      onProgress("The download broke off.");
    }
  }
  return draw(choice);
}

async function useGiven(input: string, { folder, onProgress }: DatasetChoice): Promise<Dataset> {
  if (/^https?:/i.test(input) && URL.canParse(input)) {
    const target = join(folder, `download-${createHash("sha256").update(input).digest("hex").slice(0, 12)}`);
    const { origin, pathname } = new URL(input);
    onProgress(`Downloading the image set from ${origin}${pathname}`);
    await downloadDataset(input, target);
    return { path: target, description: `${origin}${pathname}` };
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(input)) return { path: input, description: input };
  const found = await stat(input).catch(() => undefined);
  if (found?.isDirectory() === true) return { path: input, description: input };
  const reason =
    found === undefined ? "there is no such folder" : "it is a file; give the folder that holds the four idx files";
  const issues = [{ severity: "error", path: "--input", message: `${input}: ${reason}` } as const];
  throw new MlpipeError("InvalidRequest", "the demo has no images", { issues });
}

async function draw({ images, folder, onProgress }: DatasetChoice): Promise<Dataset> {
  const testCount = Math.max(1, Math.round(images / 6));
  const target = join(folder, `garments-${images}-${seed}`);
  if (!(await hasDataset(target))) {
    onProgress(`Drawing ${images.toLocaleString("en")} training and ${testCount.toLocaleString("en")} test images`);
    // Drawn aside, so that a folder of that name is always whole.
    const { drawGarments } = await import("./garments.ts");
    const aside = `${target}.part`;
    await rm(aside, { recursive: true, force: true });
    await drawGarments({ folder: aside, trainCount: images, testCount, seed });
    await rename(aside, target);
  }
  const description =
    `${images.toLocaleString("en")} training and ${testCount.toLocaleString("en")} test garments drawn by mlpipe,\n` +
    "        since the public Fashion-MNIST does not answer";
  return { path: target, description };
}

// Uploads by the thousand, 20 % of their events doubled, 20 % out of order, 5 % lost, half in one PUT and half in blocks: does every
// version get its one run?
//
//   node bench/dataset-arrival.ts [uploads, default 10000] [files per version, default 20]
import { runStorm, stormDeclaration } from "#test/functions/dataset-storm.ts";
import { startDatasetWorld } from "#test/functions/dataset-world.ts";

const uploads = Number(process.argv[2] ?? 10_000);
const filesPerVersion = Number(process.argv[3] ?? 20);
const storm = {
  dataset: "storm",
  versions: Math.ceil(uploads / filesPerVersion),
  filesPerVersion,
  lanes: 16,
  pauseMs: 8_000,
  faults: { double: 0.2, reorder: 0.2, lose: 0.05 },
};
const world = await startDatasetWorld({ storm: stormDeclaration(storm) });
try {
  const result = await runStorm(world, { ...storm, onProgress: (text) => console.log(`  ${text}`) });
  const counts = [...result.runs.values()].map((runs) => runs.length);
  console.log(
    `${result.uploads} uploads in ${result.uploadSeconds.toFixed(0)} s, ${storm.versions} versions of ${filesPerVersion} files`,
  );
  console.log(
    `versions with a run: ${counts.length}; with more than one: ${counts.filter((count) => count !== 1).length}`,
  );
  console.log(
    `left to the scan: ${result.leftToScan}; all settled ${result.settleSeconds.toFixed(0)} s after the last upload`,
  );
  console.log(`events on record: ${JSON.stringify(result.eventsByFate)}`);
  if (counts.length !== storm.versions || counts.some((count) => count !== 1)) process.exitCode = 1;
} finally {
  await world.remove();
}

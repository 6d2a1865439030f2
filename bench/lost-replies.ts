// Submissions to a workspace that accepts each job and then loses the reply at random: every job has to be there once.
//
//   node bench/lost-replies.ts [jobs, default 10000]
//
// A fifth of them is submitted twice at the same moment, as by an activity whose host died after its work.
import { submitMany } from "../test/resilience/submit-many.ts";

const count = Number(process.argv[2] ?? 10_000);

for (const refuseIdenticalPut of [false, true]) {
  const begun = performance.now();
  const { submitted, others, executed, puts } = await submitMany(
    { count, atOnce: 64, doubled: 0.2 },
    { seed: 1, refuseIdenticalPut, rules: [{ kind: "loseReply", route: "jobs.put", rate: 0.3 }] },
  );
  const seconds = (performance.now() - begun) / 1000;
  const jobs = new Set(executed).size;
  const how = refuseIdenticalPut ? "an identical PUT is refused" : "an identical PUT is taken";
  console.log(
    `${how}: ${submitted} of ${count} submitted, ${jobs} jobs, ${executed.length - jobs} run twice, ${others.length} given up, ${puts} PUTs, ${seconds.toFixed(0)} s`,
  );
  if (jobs !== count || executed.length !== count || others.length > 0) process.exitCode = 1;
}

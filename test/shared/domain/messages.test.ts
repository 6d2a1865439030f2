// What people get wrong, and what they are told: the place, what was expected there, the nearest right name, what to do.
import { describe, expect, test } from "vitest";
import { checkDocument } from "#shared/domain/compile-plan.ts";
import { loadPipeline } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";
import { inMemoryFiles } from "../../fixtures/in-memory-files.ts";

const fit = `name: fit
type: command
inputs:
  training_data: {type: uri_folder}
  rate: {type: number, default: 0.1, min: 0, max: 1}
  epochs: {type: integer, default: 3}
  mode: {type: string, enum: [fast, slow], default: fast}
  shuffle: {type: boolean, default: true}
outputs:
  model: {type: uri_folder}
environment: azureml:tools:1
command: fit \${{inputs.training_data}} \${{inputs.rate}} \${{inputs.epochs}} \${{inputs.mode}} \${{inputs.shuffle}} \${{outputs.model}}
`;
const data = 'training_data: "${{parent.inputs.images}}"';
/** A pipeline whose node `fit` has `node` in line 6 and the next, with `more` behind. */
const pipeline = (node: string, more = "") =>
  `type: pipeline
inputs: {images: {type: uri_folder, path: "azureml:images:1"}}
jobs:
  fit:
    component: ./fit.yml
    ${node.replaceAll("\n", "\n    ")}
${more}`;
/** A node beside it that reads the same data, from line 8 on. */
const beside = (node: string) => pipeline(`inputs: {${data}}`, `  other:\n    ${node.replaceAll("\n", "\n    ")}\n`);

async function told(text: string, others: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const files = inMemoryFiles({ "fit.yml": fit, "src/main.py": "", ...others, "p.yml": text });
  const { document, issues } = await loadPipeline("p.yml", files);
  const isRead = document !== undefined && issues.every(({ severity }) => severity !== "error");
  return (isRead ? [...issues, ...checkDocument(document).issues] : issues).map(formatIssue);
}

const missing = (line = 4) =>
  `p.yml:${line}:3 jobs.fit: the required input \`training_data\` (uri_folder) has no value`;

describe("names", () => {
  test.each([
    [
      "of a field of the pipeline",
      pipeline(`inputs: {${data}}`, "setings: {}"),
      ["p.yml:7:1 setings: `setings` is not known here; it has no effect (did you mean `settings`?)"],
    ],
    [
      "of settings",
      pipeline(`inputs: {${data}}`, "settings: {mlpipe: {limit: {run: 3}, retry: {out_of_memry: {}}}}"),
      [
        "p.yml:7:21 settings.mlpipe.limit: `limit` is not known here; it has no effect (did you mean `limits`?)",
        "p.yml:7:46 settings.mlpipe.retry.out_of_memry: `out_of_memry` is not known here; it has no effect (did you mean `out_of_memory`?)",
      ],
    ],
    [
      "of a node's field and of what is in it",
      pipeline(`inputs: {${data}}\nresources: {instance_cnt: 2}\nresorces: {}`),
      [
        "p.yml:7:17 jobs.fit.resources.instance_cnt: `instance_cnt` is not known here; it has no effect (did you mean `instance_count`?)",
        "p.yml:8:5 jobs.fit.resorces: `resorces` is not known here; it has no effect (did you mean `resources`?)",
      ],
    ],
    [
      "of an input, with the one that is missing for it",
      pipeline('inputs: {traning_data: "${{parent.inputs.images}}"}'),
      [
        "p.yml:6:14 jobs.fit.inputs.traning_data: the component has no input `traning_data`; it has no effect (did you mean `training_data`?)",
        `${missing()}; \`traning_data\` is given, which is no input of the component`,
      ],
    ],
    [
      "in a binding",
      pipeline('inputs: {training_data: "${{parent.inputs.imags}}"}'),
      ["p.yml:6:29 jobs.fit.inputs.training_data: the pipeline has no input `imags` (did you mean `images`?)"],
    ],
    [
      "that are far from any, which are then listed",
      pipeline('inputs: {training_data: "${{parent.inputs.x}}"}'),
      ["p.yml:6:29 jobs.fit.inputs.training_data: the pipeline has no input `x`; there is `images`"],
    ],
    [
      "of words that are left out",
      beside(
        `type: sweep\ntrial: ./fit.yml\ninputs: {${data}}\nsearch_space: {rate: {type: uniform, min_value: 0, max_value: 1}}\nobjective: {goal: minimize, primary_metric: loss}\nlimits: {max_trials: 3}`,
      ),
      [
        "p.yml:13:14 jobs.other.limits.max_trials: `max_trials` is not known here; it has no effect (did you mean `max_total_trials`?)",
        "p.yml:8:5 jobs.other: a sweep needs `limits.max_total_trials`",
      ],
    ],
    [
      "with letters that only look right",
      pipeline(`inputs: {${data}, еpochs: 3}`),
      [
        "p.yml:6:58 jobs.fit.inputs.еpochs: the component has no input `еpochs`; it has no effect (did you mean `epochs`?)",
      ],
    ],
    [
      "that no node can have",
      "type: pipeline\njobs:\n  größe: {command: x, environment: 'azureml:e:1'}",
      ["p.yml:3:3 jobs.größe: `größe` is no allowed node name: letters, digits, `_` and `-`, not a digit first"],
    ],
    [
      "of a component without `azureml:`",
      pipeline(`inputs: {${data}}`).replace("./fit.yml", "fit:1"),
      ["p.yml:5:16 jobs.fit.component: `fit:1` names no component (did you mean `azureml:fit:1`?)"],
    ],
    [
      "of a file",
      pipeline(`inputs: {${data}}`).replace("./fit.yml", "./fitt.yml"),
      ["p.yml:5:16 jobs.fit.component: there is no file fitt.yml (did you mean `fit.yml`?)"],
    ],
    [
      "of a folder where a file is wanted",
      pipeline(`inputs: {${data}}`).replace("./fit.yml", "./src"),
      ["p.yml:5:16 jobs.fit.component: src is a folder; name the YAML file in it"],
    ],
  ])("%s", async (_, text, expected) => {
    expect(await told(text)).toEqual(expected);
  });
});

describe("bindings", () => {
  test.each([
    ["with a misspelt word", "${{parnt.input.images}}", "${{parent.inputs.images}}"],
    ["with another", "${{parent.jobs.fit.output.model}}", "${{parent.jobs.fit.outputs.model}}"],
  ])("%s", async (_, written, meant) => {
    expect(await told(pipeline(`inputs: {training_data: "${written}"}`))).toEqual([
      `p.yml:6:29 jobs.fit.inputs.training_data: \`${written}\` is no binding; did you mean ${meant}?`,
    ]);
  });

  test("with a brace too few are texts, and told", async () => {
    const meant = "(did you mean `${{parent.inputs.images}}`?)";
    const written = "the text `${parent.inputs.images}`";
    expect(await told(pipeline("inputs: {training_data: '${parent.inputs.images}'}"))).toEqual([
      `p.yml:6:29 jobs.fit.inputs.training_data: ${written} is handed over as it is; it is no binding ${meant}`,
      `p.yml:6:29 jobs.fit.inputs.training_data: expected data (uri_folder), got ${written}; write \`{type: uri_folder, path: ...}\``,
    ]);
  });

  test("without quotes between braces are told as that", async () => {
    expect(await told(pipeline("inputs: {training_data: ${{parent.inputs.images}}}"))).toEqual([
      'p.yml:6:53: a binding between `{ }` or `[ ]` needs quotes: "${{...}}"',
    ]);
  });
});

describe("values", () => {
  test("that are out of bounds, no whole number, not in the list, no flag: all at once", async () => {
    const inputs = `inputs: {${data}, rate: 1e400, epochs: 2.5, mode: fats, shuffle: maybe}`;
    expect(await told(pipeline(inputs))).toEqual([
      "p.yml:6:64 jobs.fit.inputs.rate: inf is above the maximum 1",
      "p.yml:6:79 jobs.fit.inputs.epochs: 2.5 is cut to 2, since a whole number is declared",
      "p.yml:6:90 jobs.fit.inputs.mode: expected one of `fast`, `slow`, got the text `fats` (did you mean `fast`?)",
      "p.yml:6:105 jobs.fit.inputs.shuffle: expected true or false, got the text `maybe`",
    ]);
  });

  test.each([
    ["nan, which is within no bounds", "rate: .nan", "rate: expected a number between its bounds, got nan"],
    [
      "a word that YAML takes for a flag",
      "mode: no",
      "mode: expected one of `fast`, `slow`, got the text `False`; YAML reads yes, no, on and off as flags, so put text in quotes",
    ],
    ["a date", "epochs: 2026-01-01", "epochs: expected a whole number, got the text `2026-01-01`"],
    ["a list", "rate: [1, 2]", "rate: expected a literal, a binding or `{type, path}`, got a list"],
  ])("%s", async (_, input, expected) => {
    const [message = ""] = await told(pipeline(`inputs: {${data}, ${input}}`));
    expect(message.slice(message.indexOf("jobs.fit.inputs."))).toBe(`jobs.fit.inputs.${expected}`);
  });

  test("of the wrong kind of field", async () => {
    const fields = `inputs: {${data}}\nlimits: {timeout: 1h}\ndistribution: {type: horovod}\nidentity: {type: manged}`;
    expect(await told(pipeline(fields))).toEqual([
      "p.yml:7:23 jobs.fit.limits.timeout: expected seconds, a whole number above 0, got the text `1h`",
      "p.yml:8:26 jobs.fit.distribution.type: expected one of `pytorch`, `mpi`, `tensorflow`, `ray`, got the text `horovod`",
      "p.yml:9:22 jobs.fit.identity.type: expected one of `managed`, `managed_identity`, `user_identity`, `user`, `aml_token`, got the text `manged` (did you mean `managed`?)",
    ]);
  });

  test("of a declaration by another tool's word, without what follows from it", async () => {
    const component = fit
      .replace("{type: integer, default: 3}", "{type: int}")
      .replace("{type: uri_folder}\nenv", "{type: folder}\nenv");
    const found = await told(pipeline(`inputs: {${data}, epochs: 3}`), { "fit.yml": component });
    expect(found).toEqual([
      expect.stringMatching(/^fit.yml:6:18 .*`int` is no type; it can be string, .*\(did you mean `integer`\?\)$/),
      expect.stringMatching(/^fit.yml:10:17 .*`folder` is no type; .*\(did you mean `uri_folder`\?\)$/),
    ]);
  });
});

describe("a search space", () => {
  const sweep = (space: string, more = "limits: {max_total_trials: 3}") =>
    beside(
      `type: sweep\ntrial: ./fit.yml\ninputs: {${data}}\nobjective: {goal: minimize, primary_metric: loss}\nsearch_space: ${space}\n${more}`,
    );
  test.each([
    [
      "with a misspelt input and a misspelt distribution",
      "{rat: {type: unifrom}}",
      [
        "p.yml:12:20 jobs.other.search_space.rat: the trial has no input `rat` (did you mean `rate`?)",
        "p.yml:12:32 jobs.other.search_space.rat.type: expected one of `choice`, `randint`, `uniform`, `quniform`, `loguniform`, `qloguniform`, `normal`, `qnormal`, `lognormal`, `qlognormal`, got the text `unifrom` (did you mean `uniform`?)",
      ],
    ],
    [
      "with a bound under another name",
      "{rate: {type: uniform, min: 0, max_value: 1}}",
      ["p.yml:12:26 jobs.other.search_space.rate: needs `min_value`"],
    ],
    [
      "over a text by a range, and with a choice that the input does not take",
      "{mode: {type: uniform, min_value: 0, max_value: 1}, epochs: {type: choice, values: [3, many]}}",
      [
        "p.yml:12:26 jobs.other.search_space.mode: a string can be searched by `choice` alone, got `uniform`",
        "p.yml:12:106 jobs.other.search_space.epochs.values.1: expected a whole number, got the text `many`",
      ],
    ],
    [
      "over data",
      "{training_data: {type: choice, values: [a]}}",
      [
        "p.yml:12:35 jobs.other.search_space.training_data: only literals can be searched, and this input is a uri_folder",
      ],
    ],
  ])("%s", async (_, space, expected) => {
    expect(await told(sweep(space))).toEqual(expected);
  });

  test("that is wrong hides nothing that is wrong with the other inputs", async () => {
    const broken = sweep("{rate: {type: unifrom}}").replace(
      `inputs: {${data}}\n    objective`,
      "inputs: {}\n    objective",
    );
    expect(await told(broken)).toEqual([
      expect.stringContaining("`uniform`"),
      "p.yml:7:3 jobs.other: the required input `training_data` (uri_folder) has no value",
    ]);
  });

  test("sampled and stopped by names that there are not", async () => {
    const more = "limits: {max_total_trials: 3}\nsampling_algorithm: radnom\nearly_termination: {type: bandid}";
    const choices = "{mode: {type: choice, values: [fast]}}";
    expect(await told(sweep(choices, more))).toEqual([
      "p.yml:14:25 jobs.other.sampling_algorithm: expected one of `random`, `grid`, `bayesian`, got the text `radnom` (did you mean `random`?)",
      "p.yml:15:31 jobs.other.early_termination.type: expected one of `bandit`, `median_stopping`, `truncation_selection`, got the text `bandid` (did you mean `bandit`?)",
    ]);
  });
});

describe("form", () => {
  const job = (rest: string) => `type: pipeline\njobs:\n  a:\n${rest}`;
  test.each([
    [
      "an unclosed quote",
      job('    command: "x\n    environment: y\n'),
      "4:14: the quote that begins here is not closed",
    ],
    ["an unclosed brace", "type: pipeline\njobs: {a: {command: x\n", "3:1: the mapping is not closed by `}`"],
    [
      "a colon in a text",
      job("    command: echo a: b"),
      "4:14: a text with `: ` in it needs quotes, and a mapping a line of its own",
    ],
    ["a missing colon", "type: pipeline\njobs:\n  a\n    command: x", "3:3: is no `key: value`; a `:` may be missing"],
    [
      "another column",
      job("    command: x\n   environment: y"),
      "5:1: begins in another column than the keys beside it",
    ],
    ["a tab", "type: pipeline\njobs:\n\ta: x", "3:1: is indented with a tab; YAML allows spaces only"],
    ["a missing comma in JSON", '{"type": "pipeline"\n "jobs": {}}', "2:2: a comma may be missing"],
    [
      "a blank that is none",
      "type: pipeline\njobs:\n\u00a0a:\n\u00a0\u00a0command: x",
      "3:1: the key begins with U+00A0, which looks like a blank and is none; YAML indents by blanks",
    ],
    [
      "a key twice",
      "type: pipeline\njobs: {}\njobs: {}",
      "3:1: the key `jobs` stands here a second time; the first is in line 2",
    ],
    [
      "an alias without an anchor",
      "type: pipeline\njobs: *nothing",
      "2:7: there is no anchor `&nothing` before this alias",
    ],
    [
      "a list of nodes",
      "type: pipeline\njobs:\n  - x",
      "3:3 jobs: a pipeline needs at least one node in `jobs:`, a mapping of names to nodes; got a list",
    ],
    [
      "a file in a node's place",
      "type: pipeline\njobs:\n  a: ./fit.yml",
      "3:6 jobs.a: expected a node, got the text `./fit.yml`; a component's file stands in the node's `component:`",
    ],
  ])("%s", async (_, text, expected) => {
    expect((await told(text))[0]).toBe(`p.yml:${expected}`);
  });

  test("a byte order mark and Windows line ends shift no place", async () => {
    const text =
      "\uFEFFtype: pipeline\r\njobs:\r\n  a:\r\n    command: x\r\n    environment: azureml:e:1\r\n    compte: x\r\n";
    expect(await told(text)).toEqual([
      "p.yml:6:5 jobs.a.compte: `compte` is not known here; it has no effect (did you mean `compute`?)",
    ]);
  });

  test("what an anchor holds is told where it is written, once", async () => {
    const text =
      "type: pipeline\ntags: &all {x: 1}\njobs:\n  a: {command: &run 'x ${{inputs.m}}', environment: 'azureml:e:1', tags: *all}\n  b: {command: *run, environment: 'azureml:e:1', tags: [1]}";
    expect(await told(text)).toEqual([
      "p.yml:4:21 jobs.a.command: `${{inputs.m}}`: there is no input `m`",
      "p.yml:5:56 jobs.b.tags: expected a mapping, got a list",
      "p.yml:5:16 jobs.b.command: `${{inputs.m}}`: there is no input `m`",
    ]);
  });

  test("another thing than a pipeline says what it lacks, by paths that its author wrote", async () => {
    expect(await told("def main(): 3")).toEqual([
      "p.yml:1:1 def main(): `def main()` is not known here; it has no effect",
      "p.yml:1:1: has neither a `command` nor a `component`",
      "p.yml:1:1: has no `environment`",
    ]);
    expect(await told("hello")).toEqual([
      "p.yml holds the text `hello`; a pipeline, a component and a job are mappings of fields",
    ]);
  });
});

describe("cycles", () => {
  test.each([
    ["of one", { a: "a" }, "3:3 jobs.a: the node waits for itself: a -> a"],
    ["of three", { a: "b", b: "c", c: "a" }, "3:3 jobs.a: the nodes wait for each other: a -> b -> c -> a"],
  ])("%s are drawn", async (_, edges, expected) => {
    const nodes = Object.entries(edges).map(
      ([name, from]) =>
        `  ${name}: {component: ./fit.yml, inputs: {training_data: "\${{parent.jobs.${from}.outputs.model}}"}}`,
    );
    expect(await told(`type: pipeline\njobs:\n${nodes.join("\n")}`)).toEqual([`p.yml:${expected}`]);
  });

  test("through a sub-pipeline are drawn, and a component that holds itself by its files", async () => {
    const sub =
      "type: pipeline\nname: sub\ninputs: {x: {type: uri_folder}}\noutputs: {m: {type: uri_folder}}\njobs:\n  a: {component: ./fit.yml, inputs: {training_data: '${{parent.inputs.x}}'}, outputs: {model: '${{parent.outputs.m}}'}}";
    const outer =
      "type: pipeline\njobs:\n  sub: {component: ./sub.yml, inputs: {x: '${{parent.jobs.last.outputs.model}}'}}\n  last: {component: ./fit.yml, inputs: {training_data: '${{parent.jobs.sub.outputs.m}}'}}";
    expect(await told(outer, { "sub.yml": sub })).toEqual([
      "p.yml:3:3 jobs.sub: the nodes wait for each other: sub -> last -> sub",
    ]);
    const [itself] = await told("type: pipeline\njobs:\n  sub: {type: pipeline, component: ./p.yml}");
    expect(itself).toContain("the component holds itself: p.yml -> p.yml");
  });
});

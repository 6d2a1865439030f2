import { describe, expect, test } from "vitest";
import { hideSecrets } from "#shared/domain/hide-secrets.ts";
import { changedLines, ingredientChanges, summarizeChanges } from "#shared/domain/ingredient-changes.ts";
import { ingredientsOf } from "#shared/domain/node-key.ts";
import { withoutSecrets } from "#shared/log.ts";
import { literal, planNode, readsData } from "#test/functions/reuse/world.ts";

const node = planNode("a", {
  inputs: { epochs: literal("2"), data: readsData("azureml://datastores/s/paths/x/"), api_key: literal("alpha") },
  environment: { kind: "inline", image: "i", condaFile: "name: e\ndependencies:\n  - numpy=1\n  - pip\n" },
  environmentVariables: { LEVEL: "1", DB_PASSWORD: "beta", URL: "https://a.blob.core.windows.net/c?sv=1&sig=gamma" },
});
const facts = { "inputs.data": "content:1" };

describe("what differs between two runs of a node", () => {
  test("is nothing when nothing does", () => {
    expect(ingredientChanges(ingredientsOf(node, facts), ingredientsOf(node, facts))).toEqual([]);
    expect(summarizeChanges([])).toBe("nothing that counts has changed");
  });

  test("is told with both values, lines of a file, and members of an input", () => {
    const other = {
      ...node,
      command: "run b",
      inputs: { ...node.inputs, epochs: literal("3"), more: literal("x") },
      environment: { kind: "inline" as const, image: "i", condaFile: "name: e\ndependencies:\n  - numpy=2\n  - pip\n" },
    };
    const changes = ingredientChanges(ingredientsOf(node, facts), ingredientsOf(other, { "inputs.data": "content:2" }));
    expect(changes).toEqual([
      { ingredient: "command", before: "run a", after: "run b" },
      { ingredient: "environment.condaFile", before: "  - numpy=1", after: "  - numpy=2" },
      { ingredient: "inputs.data.data", before: "content:1", after: "content:2" },
      { ingredient: "inputs.epochs", before: "2", after: "3" },
      { ingredient: "inputs.more", after: "x" },
    ]);
    expect(summarizeChanges(changes)).toBe("command: run a -> run b, and 4 more");
  });

  test("in a text is what lies between its common beginning and end", () => {
    expect(changedLines("a\nb\nc", "a\nc")).toEqual({ before: "b" });
    expect(changedLines("a\nc", "a\nb\nc")).toEqual({ after: "b" });
    expect(changedLines("a\na\na", "a\na")).toEqual({ before: "a" });
    const long = Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n");
    expect(changedLines(long, "").before?.split("\n").at(-1)).toBe("… 22 more lines");
  });
});

describe("a secret among the ingredients", () => {
  test("is hidden, and still tells that it has changed", async () => {
    const before = await hideSecrets(ingredientsOf(node, facts), withoutSecrets);
    const changed = {
      ...node,
      inputs: { ...node.inputs, api_key: literal("other") },
      environmentVariables: {
        ...node.environmentVariables,
        DB_PASSWORD: "other",
        URL: "https://a.blob.core.windows.net/c?sv=1&sig=other",
      },
    };
    const after = await hideSecrets(ingredientsOf(changed, facts), withoutSecrets);
    expect(JSON.stringify([before, after])).not.toMatch(/alpha|beta|gamma|other/);
    const names = ingredientChanges(before, after).map(({ ingredient }) => ingredient);
    expect(names).toEqual(["environmentVariables.DB_PASSWORD", "environmentVariables.URL", "inputs.api_key"]);
  });

  test("leaves everything else as it is written", async () => {
    const all = ingredientsOf(node, facts);
    const hidden = await hideSecrets(all, withoutSecrets);
    const same = Object.keys(all).filter((name) => all[name] === hidden[name]);
    expect(same).toEqual(
      expect.arrayContaining(["command", "inputs.epochs", "inputs.data", "environmentVariables.LEVEL"]),
    );
  });
});

// What types infer, exactly.
import { expectTypeOf } from "vitest";
import { type Component, type Pipeline, integer, loadComponent, pipeline, string, uriFile, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

const whole = pipeline({ name: "whole", inputs: { images: uriFolder() } }, ({ inputs, node, promote }) => {
  const { outputs } = node(split, { images: inputs.images });
  const fitted = node(fit, { table: outputs.table, rate: 1 });
  return { index: outputs.index, model: promote(fitted.outputs.model, { mode: "upload" }) };
});

expectTypeOf(whole).toExtend<Pipeline>();
expectTypeOf<keyof typeof whole.inputs>().toEqualTypeOf<"images">();
expectTypeOf<keyof typeof whole.outputs>().toEqualTypeOf<"index" | "model">();
expectTypeOf(whole.outputs.index.type).toEqualTypeOf<"uri_file">();
expectTypeOf(whole.outputs.model.type).toEqualTypeOf<"mlflow_model">();

const loaded = loadComponent("score/component.yml", {
  inputs: { count: integer(), mode: string({ enum: ["a", "b"] }) },
  outputs: { report: uriFile() },
});
expectTypeOf(loaded).toExtend<Component>();
expectTypeOf(loaded.kind).toEqualTypeOf<"command">();
expectTypeOf(loaded.outputs.report.type).toEqualTypeOf<"uri_file">();

pipeline({ name: "uses" }, ({ node }) => {
  const { outputs } = node(loaded, { count: 3, mode: "a" });
  expectTypeOf<keyof typeof outputs>().toEqualTypeOf<"report">();
  // @ts-expect-error a text that the enum does not have
  node(loaded, { count: 3, mode: "c" });
  // @ts-expect-error an output that was not declared
  void outputs.rows;
  return {};
});

// The document that describes the API, walked as a generator of clients would.
import { readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { sharedApp } from "./app.ts";

const { app } = sharedApp();

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { schema: object }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { url: string }[];
  readonly security: readonly unknown[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object>; readonly securitySchemes: Record<string, object> };
}

const methods = ["get", "post", "put", "delete"];
const document = (await (await app.call("openapi.json", { key: null })).json()) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

/** Every object in `value`, itself too, with its place. */
function* objectsIn(value: unknown, place = "#"): Generator<[place: string, found: Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  yield [place, value as Record<string, unknown>];
  for (const [key, inside] of Object.entries(value)) yield* objectsIn(inside, `${place}/${key}`);
}

function resolve(reference: string): unknown {
  let found: unknown = document;
  for (const part of reference.replace(/^#\//, "").split("/")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  return found;
}

describe("the OpenAPI document", () => {
  test("is of version 3.1, names its server and needs no key to be read", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "mlpipe", version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(document.servers).toEqual([{ url: app.url }]);
    const [scheme = ""] = Object.keys((document.security[0] ?? {}) as object);
    expect(Object.keys(document.components.securitySchemes)).toContain(scheme);
  });

  test("has every route that the app registers", () => {
    const folder = new URL("../../functions/http/", import.meta.url);
    const contract = /name: "(\w+)",\s+method: "(\w+)",\s+path: "([^"]+)"/g;
    const routes = readdirSync(folder).flatMap((file) =>
      [...readFileSync(new URL(file, folder), "utf8").matchAll(contract)].map(([, name, method = "", path = ""]) => ({
        name,
        method: method.toLowerCase(),
        path: `/api/${path.replace("{*path}", "{path}")}`,
      })),
    );
    const described = operations.map(({ path, method, operation }) => ({ name: operation.operationId, method, path }));
    expect(routes.length).toBeGreaterThan(14);
    const ofOthers = routes.filter(({ name }) => name !== "getOpenApi");
    expect(described).toEqual(expect.arrayContaining(ofOthers));
    expect(described).toHaveLength(ofOthers.length);
  });

  test("has no reference that leads nowhere", () => {
    const references = [...objectsIn(document)].flatMap(([, { $ref }]) => (typeof $ref === "string" ? [$ref] : []));
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  test("describes each operation: its name, its parameters, its answer and its problem", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.flatMap(faultsOf)).toEqual([]);
  });

  test("holds JSON Schema of 2020-12 and nothing older", () => {
    const roots = [
      ...Object.values(document.components.schemas),
      ...operations.flatMap(({ operation: { parameters, requestBody, responses } }) => [
        ...parameters.map(({ schema }) => schema),
        ...Object.values(requestBody?.content ?? {}).map(({ schema }) => schema),
        ...Object.values(responses).flatMap(({ content = {} }) => Object.values(content).map(({ schema }) => schema)),
      ]),
    ];
    const schemas = roots.flatMap((root) => [...objectsIn(root)]).filter(([place]) => !place.endsWith("/properties"));
    expect(schemas.length).toBeGreaterThan(100);
    expect(schemas.flatMap(([place, schema]) => schemaFaults(schema).map((fault) => `${place}: ${fault}`))).toEqual([]);
  });
});

function faultsOf({ path, method, operation }: (typeof operations)[number]): string[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const declared = operation.parameters.filter((one) => one.in === "path");
  const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  const checks = {
    "no such method": methods.includes(method),
    "no summary": operation.summary !== "",
    "parameters of the path": isDeepStrictEqual(new Set(declared.map(({ name }) => name)), new Set(inPath)),
    "a parameter of the path that may be left out": declared.every(({ required }) => required === true),
    "a parameter without a schema": operation.parameters.every(({ schema }) => typeof schema === "object"),
    "a body where there is none": !["get", "delete"].includes(method) || operation.requestBody === undefined,
    "no such status": Object.keys(operation.responses).every((status) => /^(\d{3}|default)$/.test(status)),
    "no problem": isDeepStrictEqual(operation.responses["default"]?.content, problem),
  };
  return Object.entries(checks).flatMap(([fault, isFine]) => (isFine ? [] : [`${method} ${path}: ${fault}`]));
}

const types = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);

function schemaFaults(schema: Record<string, unknown>): string[] {
  const { type, required, properties } = schema;
  const old = ["nullable", "definitions", "$schema"].filter((key) => Object.hasOwn(schema, key));
  const unknown = typeof type === "string" && !types.has(type) ? [type] : [];
  const known = typeof properties === "object" && properties !== null ? properties : undefined;
  const missing =
    Array.isArray(required) && known !== undefined
      ? required.filter((name) => !Object.hasOwn(known, String(name))).map(String)
      : [];
  return [...old, ...unknown, ...missing];
}

// The OpenAPI 3.1 document, made from the schemas that parse the requests.
import { z } from "zod";
import {
  NodeExplanation,
  NodeMetrics,
  NodeRun,
  OutputList,
  PlanAnswer,
  Problem,
  RunDocument,
  RunList,
  RunSummary,
  ScheduleDocument,
  UploadAnswer,
  UploadRequest,
} from "#shared/api.ts";
import type { RouteContract } from "./route.ts";

type AnyContract = RouteContract<z.ZodType, z.ZodType, z.ZodType>;

const named = {
  NodeExplanation,
  NodeMetrics,
  NodeRun,
  OutputList,
  PlanAnswer,
  Problem,
  RunDocument,
  RunList,
  RunSummary,
  ScheduleDocument,
  UploadAnswer,
  UploadRequest,
};

/**
 * @param contracts every route of the app
 * @param origin where it is served, `https://host`
 * @returns an OpenAPI 3.1.1 document (JSON Schema 2020-12)
 */
export function toOpenApi(contracts: readonly AnyContract[], origin: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const contract of contracts) {
    const path = `/api/${contract.path.replace("{*path}", "{path}")}`;
    (paths[path] ??= {})[contract.method.toLowerCase()] = toOperation(contract);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "mlpipe",
      version: "0.1.0",
      summary: "Machine-learning pipelines on Azure with no server to keep",
    },
    servers: [{ url: origin }],
    security: [{ key: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, plainSchema(schema, "output")])),
      securitySchemes: { key: { type: "apiKey", in: "header", name: "x-functions-key" } },
    },
  };
}

function toOperation(contract: AnyContract): Record<string, unknown> {
  const { answer } = contract;
  const problem = {
    description: "What went wrong",
    content: { "application/problem+json": { schema: reference("Problem") } },
  };
  return {
    operationId: contract.name,
    summary: contract.summary,
    ...(contract.authLevel === "anonymous" ? { security: [] } : {}),
    parameters: [
      ...parametersOf("path", contract.params),
      ...parametersOf("query", contract.query),
      ...headersOf(contract.headers),
    ],
    ...(contract.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: toSchema(contract.body, "input") } },
          },
        }),
    responses: {
      [answer.status]: {
        description: answer.description,
        content: {
          [answer.contentType ?? "application/json"]:
            answer.schema === undefined ? {} : { schema: toSchema(answer.schema, "output") },
        },
      },
      default: problem,
    },
  };
}

function parametersOf(place: "path" | "query", schema: z.ZodType | undefined): Record<string, unknown>[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = plainSchema(schema, "input") as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: of,
  }));
}

function headersOf(headers: Readonly<Record<string, string>> = {}): Record<string, unknown>[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string" },
  }));
}

function toSchema(schema: z.ZodType, io: "input" | "output"): unknown {
  const name = Object.entries(named).find(([, known]) => (known as z.ZodType) === schema)?.[0];
  return name === undefined ? plainSchema(schema, io) : reference(name);
}

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function plainSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

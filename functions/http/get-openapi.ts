import type { App } from "../app.ts";
import { toOpenApi } from "../openapi.ts";
import { defineRoute, json, type Route } from "../route.ts";

/** The document describes the other routes, so it is given them. */
export const getOpenApi = (_app: App, routes: readonly Route[]) =>
  defineRoute(
    {
      name: "getOpenApi",
      method: "GET",
      path: "openapi.json",
      summary: "This document",
      authLevel: "anonymous",
      answer: { status: 200, description: "OpenAPI 3.1" },
    },
    ({ origin }) =>
      Promise.resolve(
        json(
          200,
          toOpenApi(
            routes.map(({ contract }) => contract),
            origin,
          ),
        ),
      ),
  );

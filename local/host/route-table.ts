// The routes of an app in the order in which the host tries them: by function name, first match wins.
import type { BindingMetadata, FunctionMetadata } from "./contract.ts";
import type { RouteTemplate } from "./route-template.ts";
import { parseRouteTemplate } from "./route-template.ts";

export type AuthLevel = "anonymous" | "function" | "admin";

export interface Route {
  readonly functionName: string;
  readonly methods: ReadonlySet<string>;
  readonly authLevel: AuthLevel;
  readonly template: RouteTemplate;
}

export interface RouteTable {
  readonly routes: readonly Route[];
  /** Functions that cannot be served, and why. */
  readonly refused: readonly { functionName: string; reason: string }[];
  /** Routes that another one hides, in sentences. */
  readonly warnings: readonly string[];
}

/** @param routePrefix of host.json; may be empty */
export function createRouteTable(functions: readonly FunctionMetadata[], routePrefix: string): RouteTable {
  const routes: Route[] = [];
  const refused: { functionName: string; reason: string }[] = [];
  const warnings: string[] = [];
  const ordered = [...functions].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  for (const { name, bindings } of ordered) {
    const trigger = Object.values(bindings).find((binding) => binding.type.toLowerCase() === "httptrigger");
    if (trigger === undefined) continue;
    try {
      const route = toRoute(name, trigger, routePrefix);
      const overlapping = routes.filter((other) => [...route.methods].some((method) => other.methods.has(method)));
      const twin = overlapping.find((other) => other.template.text.toLowerCase() === route.template.text.toLowerCase());
      if (twin !== undefined)
        throw new Error(`its route "${route.template.text}" is already that of "${twin.functionName}"`);
      const shadow = overlapping.find((other) => other.template.match(route.template.sample) !== undefined);
      if (shadow !== undefined) {
        warnings.push(
          `The route "${shadow.template.text}" of "${shadow.functionName}" also takes requests for "${route.template.text}" of "${name}": ` +
            "the host tries functions in the order of their names. Rename one, or add a constraint.",
        );
      }
      routes.push(route);
    } catch (error) {
      refused.push({
        functionName: name,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return { routes, refused, warnings };
}

/**
 * The first route that takes the request.
 * @param pathname as in the request's URL, still percent-encoded
 * @throws URIError when the path is not valid percent-encoded UTF-8
 */
export function matchRoute(
  table: RouteTable,
  method: string,
  pathname: string,
): { route: Route; params: Record<string, string> } | undefined {
  // An encoded slash stays encoded: it is part of a segment.
  const path = decodeURIComponent(pathname.replace(/%2f/gi, "%252F").replace(/^\/|\/$/g, ""));
  for (const route of table.routes) {
    if (!route.methods.has(method)) continue;
    const params = route.template.match(path);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

function toRoute(name: string, trigger: BindingMetadata, routePrefix: string): Route {
  const own = (typeof trigger["route"] === "string" && trigger["route"] !== "" ? trigger["route"] : name).replace(
    /^\/+|\/+$/g,
    "",
  );
  if (/^(?:admin|runtime)/i.test(own))
    throw new Error(`its route "${own}" starts with "admin" or "runtime", which the host keeps for itself`);
  const text = [routePrefix, own].filter((part) => part !== "").join("/");
  const methods = Array.isArray(trigger["methods"])
    ? trigger["methods"].map((method) => String(method).toUpperCase())
    : ["GET", "POST"];
  const authLevel = typeof trigger["authLevel"] === "string" ? trigger["authLevel"].toLowerCase() : "function";
  if (authLevel !== "anonymous" && authLevel !== "function" && authLevel !== "admin") {
    throw new Error(`its authLevel "${authLevel}" is none of anonymous, function, admin`);
  }
  try {
    return {
      functionName: name,
      methods: new Set(methods),
      authLevel,
      template: parseRouteTemplate(text),
    };
  } catch (error) {
    throw new Error(`its route "${own}" is not valid: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

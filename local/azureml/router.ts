// Finds the route of a request among the groups, each with its own roots, manners and errors.
import findMyWay from "find-my-way";
import type { ErrorPlace } from "./service-error.ts";
import type { Answer, Route } from "./route.ts";

export interface RouteGroup {
  /** Paths the routes hang below, with `:subscriptionId`, `:resourceGroup` and `:workspace` where the caller names them. */
  readonly roots: readonly string[];
  readonly routes: readonly Route[];
  /** Whether a path that matches no route is this group's to refuse. */
  readonly owns: (path: string) => boolean;
  /** Whether a job's own token opens it. */
  readonly isOpenToJobs: boolean;
  readonly isVersioned: boolean;
  /** How the group words an error. */
  toErrorAnswer(error: unknown, place: ErrorPlace): Answer;
  /** The error of a path that is nobody's. */
  readonly miss: (method: string, path: string) => Error;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export interface Router {
  groupOf(path: string): RouteGroup;
  /** @param path Percent-encoded, without query. Fixed parts match in any case, parameters keep theirs and come decoded. */
  find(method: string, path: string): RouteMatch | undefined;
}

/** @param groups The last one takes the paths that none owns. */
export function createRouter(groups: readonly [RouteGroup, ...RouteGroup[]]): Router {
  const tree = findMyWay({ caseSensitive: false, ignoreTrailingSlash: true, maxParamLength: 2000 });
  const noop = () => undefined;
  for (const { roots, routes } of groups) {
    for (const root of roots) {
      for (const route of routes) tree.on(route.method, `${root}${route.path}`, noop, route);
    }
  }
  return {
    groupOf: (path) => groups.find((group) => group.owns(path)) ?? groups[0],
    find(method, path) {
      const isKnown =
        method === "GET" || method === "PUT" || method === "POST" || method === "PATCH" || method === "DELETE";
      const found = isKnown ? tree.find(method, path) : null;
      if (found === null) return undefined;
      const params = Object.entries(found.params).filter((entry): entry is [string, string] => entry[1] !== undefined);
      // The tree was filled above with routes and nothing else.
      return { route: found.store as Route, params: Object.fromEntries(params) };
    },
  };
}

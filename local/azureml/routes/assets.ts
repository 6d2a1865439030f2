// Containers and versions of codes, environments, components, data and models: one shape, five times.
import { assetKinds, type AssetKind } from "../asset-kinds.ts";
import { parseProperties } from "../command-schema.ts";
import { readEnvironmentContent } from "../environments/environment-content.ts";
import { systemData } from "../job-answer.ts";
import { parsePage, toPage } from "../page.ts";
import type { Resource } from "../resource-store.ts";
import { param, readJson, type Answer, type Route, type RouteRequest } from "../route.ts";
import { notFound, ServiceError, userError } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

/** When curated environments came to be, as far as this workspace knows. */
const curatedAt = "2024-01-01T00:00:00.000Z";
const assetName = /^[a-zA-Z0-9][\w.-]{0,254}$/;

function checkedName(request: RouteRequest, name: string): string {
  const value = param(request, name);
  if (!assetName.test(value)) {
    throw userError(
      `The ${name} ${value} is not valid: letters, digits, -, _ and . only, beginning with a letter or digit, at most 255.`,
    );
  }
  return value;
}

function createKindRoutes(context: WorkspaceContext, assetKind: AssetKind): Route[] {
  const { scope, store, resources, catalog, executor } = context;
  const { kind, title, Container, Version, immutable, containerOf, added } = assetKind;
  const type = `Microsoft.MachineLearningServices/workspaces/${kind}`;

  const containerBody = (container: Resource) => ({
    id: `${scope.path}/${kind}/${container.name}`,
    name: container.name,
    type,
    properties: {
      ...container.properties,
      latestVersion: resources.latest(kind, container.name)?.version ?? null,
      nextVersion: resources.nextVersion(kind, container.name),
    },
    systemData: systemData(container),
  });
  const versionBody = (asset: Resource) => ({
    id: `${scope.path}/${kind}/${asset.name}/versions/${asset.version}`,
    name: asset.version,
    type: `${type}/versions`,
    properties: { ...asset.properties, ...added },
    systemData: systemData(asset),
  });

  const missing = (name: string, version?: string): ServiceError =>
    notFound(
      title,
      version === undefined ? name : `${name}:${version}`,
      kind === "environments" ? catalog.advice(name) : "",
    );

  /** The version of an environment that nobody has registered, and that is known all the same. */
  const unregistered = (name: string, version = "1"): Resource[] => {
    const condaFile = kind === "environments" ? catalog.ofName(name, version) : undefined;
    if (condaFile === undefined) return [];
    const properties = { condaFile, tags: {}, properties: {}, isAnonymous: false, isArchived: false };
    return [{ seq: 0, name, version, properties, createdAt: curatedAt, modifiedAt: curatedAt }];
  };

  const checkImmutable = (existing: Resource, sent: Readonly<Record<string, unknown>>): void => {
    const changed = immutable.find((part) => JSON.stringify(existing.properties[part]) !== JSON.stringify(sent[part]));
    if (changed === undefined) return;
    const what = title.toLowerCase();
    throw new ServiceError(
      `A ${what} version with this name and version already exists. If you are trying to create a new ${what} version, use a different name or version. If you are trying to update an existing ${what} version, the existing asset's ${changed} cannot be changed. Only tags, description, and isArchived can be updated.`,
      {
        status: 400,
        code: "UserError",
        inner: ["Immutable", "AssetPropertyImmutable"],
        parameters: { property: changed },
      },
    );
  };

  /** The service would take it and fail when a job needs it. */
  const checkEnvironment = async (sent: Readonly<Record<string, unknown>>): Promise<void> => {
    const fault = await executor.findFault(readEnvironmentContent(sent, catalog));
    if (fault !== undefined) throw userError(`the environment cannot be built here: ${fault}`);
  };

  const putVersion = async (request: RouteRequest): Promise<Answer> => {
    const key = {
      kind,
      name: checkedName(request, "name"),
      version: checkedName(request, "version"),
    };
    const sent = parseProperties(Version, (await readJson(request))["properties"] ?? {});
    if (kind === "environments" && resources.get(key) === undefined) await checkEnvironment(sent);
    return store.transaction(() => {
      const existing = resources.get(key);
      if (existing !== undefined) checkImmutable(existing, sent);
      if (resources.get({ kind, name: key.name }) === undefined) {
        const bare = { tags: {}, properties: {}, isArchived: false, ...containerOf?.(sent) };
        resources.put({ kind, name: key.name }, bare);
      }
      return {
        status: existing === undefined ? 201 : 200,
        body: versionBody(resources.put(key, sent)),
      };
    });
  };

  const list = (request: RouteRequest, name?: string): Answer => {
    const page = parsePage(request);
    const order = request.query.get("$orderBy");
    const listViewType = request.query.get("listViewType") ?? undefined;
    const found = resources.list(kind, {
      ...(name === undefined ? {} : { name }),
      ...(listViewType === undefined ? {} : { listViewType }),
      ...(page.after === undefined ? {} : { after: page.after }),
      isOldestFirst: order !== null && /\basc\b/i.test(order),
      limit: page.limit + 1,
    });
    if (name === undefined) return toPage(request, page, found, containerBody);
    const listed = found.length > 0 || page.after !== undefined ? found : unregistered(name);
    if (kind === "environments" && listed.length === 0 && page.after === undefined) throw missing(name);
    return toPage(request, page, listed, versionBody);
  };
  const remove = (key: { kind: string; name: string; version?: string }): Answer => ({
    status: resources.delete(key) ? 200 : 204,
  });

  return [
    {
      name: `${kind}.put`,
      method: "PUT",
      path: `/${kind}/:name`,
      async handle(request) {
        const key = { kind, name: checkedName(request, "name") };
        const sent = parseProperties(Container, (await readJson(request))["properties"] ?? {});
        const status = resources.get(key) === undefined ? 201 : 200;
        return { status, body: containerBody(resources.put(key, sent)) };
      },
    },
    {
      name: `${kind}.get`,
      method: "GET",
      path: `/${kind}/:name`,
      handle(request) {
        const found = resources.get({ kind, name: param(request, "name") });
        if (found === undefined) throw notFound(title, param(request, "name"));
        return { status: 200, body: containerBody(found) };
      },
    },
    { name: `${kind}.list`, method: "GET", path: `/${kind}`, handle: (request) => list(request) },
    {
      name: `${kind}.delete`,
      method: "DELETE",
      path: `/${kind}/:name`,
      handle: (request) => remove({ kind, name: param(request, "name") }),
    },
    {
      name: `${kind}.versions.put`,
      method: "PUT",
      path: `/${kind}/:name/versions/:version`,
      handle: putVersion,
    },
    {
      name: `${kind}.versions.get`,
      method: "GET",
      path: `/${kind}/:name/versions/:version`,
      handle(request) {
        const [name, version] = [param(request, "name"), param(request, "version")];
        const found = resources.get({ kind, name, version }) ?? unregistered(name, version)[0];
        if (found === undefined) throw missing(name, version);
        return { status: 200, body: versionBody(found) };
      },
    },
    {
      name: `${kind}.versions.list`,
      method: "GET",
      path: `/${kind}/:name/versions`,
      handle: (request) => list(request, param(request, "name")),
    },
    {
      name: `${kind}.versions.delete`,
      method: "DELETE",
      path: `/${kind}/:name/versions/:version`,
      handle: (request) => remove({ kind, name: param(request, "name"), version: param(request, "version") }),
    },
  ];
}

export function createAssetRoutes(context: WorkspaceContext): Route[] {
  return assetKinds.flatMap((assetKind) => createKindRoutes(context, assetKind));
}

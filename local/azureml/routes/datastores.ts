// https://learn.microsoft.com/rest/api/azureml/datastores
import { z } from "zod";
import { parseProperties } from "../command-schema.ts";
import { defaultDatastore } from "../datastores.ts";
import { systemData } from "../job-answer.ts";
import { parsePage, toPage } from "../page.ts";
import type { Resource } from "../resource-store.ts";
import { param, readJson, type Route, type RouteRequest } from "../route.ts";
import { notFound, userError } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

const kind = "datastores";
const Datastore = z.looseObject({
  datastoreType: z.enum(["AzureBlob", "AzureDataLakeGen1", "AzureDataLakeGen2", "AzureFile"]),
  isDefault: z.boolean().default(false),
  credentials: z.looseObject({
    credentialsType: z.enum(["AccountKey", "Sas", "ServicePrincipal", "Certificate", "None"]),
    secrets: z.looseObject({ secretsType: z.string() }).optional(),
  }),
});

export function createDatastoreRoutes({ scope, store, resources }: WorkspaceContext): Route[] {
  const toBody = (datastore: Resource) => ({
    id: `${scope.path}/datastores/${datastore.name}`,
    name: datastore.name,
    type: "Microsoft.MachineLearningServices/workspaces/datastores",
    properties: datastore.properties,
    systemData: systemData(datastore),
  });
  const find = (request: RouteRequest): Resource => {
    const name = param(request, "name");
    const found = resources.get({ kind, name });
    if (found === undefined) throw notFound("Datastore", name);
    return found;
  };
  const clearDefault = (keep: string): void => {
    for (const { name, properties } of resources.list(kind, { limit: 1000 })) {
      if (name !== keep && properties["isDefault"] === true)
        resources.put({ kind, name }, { ...properties, isDefault: false });
    }
  };

  return [
    {
      name: "datastores.put",
      method: "PUT",
      path: "/datastores/:name",
      async handle(request) {
        const key = { kind, name: param(request, "name") };
        const { credentials, ...sent } = parseProperties(Datastore, (await readJson(request))["properties"] ?? {});
        const { secrets, ...shown } = credentials;
        return store.transaction(() => {
          const status = resources.get(key) === undefined ? 201 : 200;
          if (sent.isDefault) clearDefault(key.name);
          const written = resources.put(key, { ...sent, credentials: shown }, secrets === undefined ? {} : { secrets });
          return { status, body: toBody(written) };
        });
      },
    },
    {
      name: "datastores.get",
      method: "GET",
      path: "/datastores/:name",
      handle: (request) => ({ status: 200, body: toBody(find(request)) }),
    },
    {
      name: "datastores.list",
      method: "GET",
      path: "/datastores",
      handle(request) {
        const page = parsePage(request);
        const isDefault = request.query.get("isDefault");
        const names = request.query.get("names")?.split(",");
        const text = request.query.get("searchText")?.toLowerCase();
        // A workspace has a handful of datastores, so filtering after reading them all is cheaper than another index.
        const found = resources
          .list(kind, { limit: 10_000, ...(page.after === undefined ? {} : { after: page.after }) })
          .filter(({ properties }) => isDefault === null || String(properties["isDefault"]) === isDefault.toLowerCase())
          .filter(({ name }) => names === undefined || names.includes(name))
          .filter(({ name }) => text === undefined || name.toLowerCase().includes(text));
        return toPage(request, page, found, toBody);
      },
    },
    {
      name: "datastores.listSecrets",
      method: "POST",
      path: "/datastores/:name/listSecrets",
      handle(request) {
        const { name, secrets } = find(request);
        if (secrets === undefined) throw userError(`The datastore ${name} has no secrets.`, ["NoSecrets"]);
        return { status: 200, body: secrets };
      },
    },
    {
      name: "datastores.delete",
      method: "DELETE",
      path: "/datastores/:name",
      handle(request) {
        const name = param(request, "name");
        if (name === defaultDatastore)
          throw userError(`The datastore ${name} is the workspace's default and cannot be deleted.`);
        return { status: resources.delete({ kind, name }) ? 200 : 204 };
      },
    },
  ];
}

import { stringify } from "yaml";
import { isRegistered } from "./asset-references.ts";
import { type Field, type IssueList, fieldOf } from "./issue-list.ts";
import type { EnvironmentReference } from "./plan.ts";
import { anything, describe, isMapping, mapping, shape, text } from "./shape.ts";

const environmentShape = shape({
  $schema: text,
  name: text,
  version: text,
  description: text,
  tags: mapping,
  image: text,
  conda_file: anything,
  build: shape({ path: text, dockerfile_path: text }),
  os_type: text,
  inference_config: mapping,
  properties: mapping,
});

/** The environment that `value` asks for; undefined after having told what is wrong. */
export function readEnvironment(value: unknown, field: Field, list: IssueList): EnvironmentReference | undefined {
  if (value === undefined || value === null) {
    list.error(field, "has no `environment`");
    return undefined;
  }
  if (typeof value === "string") {
    if (isRegistered(value)) return { kind: "asset", id: value };
    list.error(
      field,
      `expected \`azureml:name:version\`, a registry's environment or a mapping with \`image\`, got ${describe(value)}`,
    );
    return undefined;
  }
  const read = environmentShape(value, field, list);
  if (read === undefined || !isMapping(value)) return undefined;
  const conda = read.conda_file;
  if (conda !== undefined && !isMapping(conda) && (typeof conda !== "string" || !conda.includes("\n"))) {
    list.error(fieldOf(field.path, value, "conda_file"), `expected the file's content, got ${describe(conda)}`);
    return undefined;
  }
  if (read.image === undefined && read.build === undefined && conda === undefined) {
    list.error(field, "an environment needs an `image`, a `build` context or a `conda_file`");
    return undefined;
  }
  if (read.build !== undefined && read.build.path === undefined) {
    list.error(fieldOf(field.path, value, "build"), "a build context needs a `path`");
    return undefined;
  }
  const condaFile = isMapping(conda) ? stringify(conda) : typeof conda === "string" ? conda : undefined;
  const build =
    read.build?.path === undefined
      ? undefined
      : { contextUri: read.build.path, dockerfilePath: read.build.dockerfile_path };
  return {
    kind: "inline",
    ...(read.name === undefined ? {} : { name: read.name }),
    ...(read.image === undefined ? {} : { image: read.image }),
    ...(condaFile === undefined ? {} : { condaFile }),
    ...(build === undefined
      ? {}
      : {
          build: {
            contextUri: build.contextUri,
            ...(build.dockerfilePath === undefined ? {} : { dockerfilePath: build.dockerfilePath }),
          },
        }),
    ...(read.os_type === undefined ? {} : { osType: read.os_type }),
  };
}

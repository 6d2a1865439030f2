// Fields that nodes of several kinds share, and components with them.
import { resourceProperties } from "./mlpipe-fields.ts";
import {
  anything,
  flag,
  integer,
  listOf,
  mapping,
  oneOf,
  positiveInteger,
  recordOf,
  seconds,
  shape,
  text,
} from "../shape.ts";

export const resources = shape({
  instance_count: positiveInteger,
  instance_type: anything,
  shm_size: text,
  docker_args: text,
  locations: anything,
  max_instance_count: positiveInteger,
  runtime_version: text,
  properties: resourceProperties,
});

const distribution = shape({
  type: oneOf(["pytorch", "mpi", "tensorflow", "ray"]),
  process_count_per_instance: positiveInteger,
  worker_count: integer,
  parameter_server_count: integer,
});

/** Every node of a `jobs:` mapping. */
export const nodeFields = {
  $schema: text,
  type: text,
  name: text,
  version: text,
  component: anything,
  inputs: mapping,
  outputs: mapping,
  compute: text,
  display_name: text,
  description: text,
  comment: text,
  experiment_name: text,
  tags: recordOf(text),
  properties: mapping,
  identity: shape({
    type: oneOf(["managed", "managed_identity", "user_identity", "user", "aml_token"]),
    client_id: text,
    object_id: text,
    resource_id: text,
  }),
  queue_settings: shape({ job_tier: text, priority: anything }),
  services: recordOf(mapping),
  settings: shape({ force_rerun: flag }),
  is_deterministic: flag,
};

/** Every component. */
export const componentFields = {
  $schema: text,
  type: text,
  name: text,
  version: text,
  display_name: text,
  description: text,
  tags: recordOf(text),
  properties: mapping,
  is_deterministic: flag,
  inputs: mapping,
  outputs: mapping,
  creation_context: anything,
  id: text,
  auto_delete_setting: anything,
};

/** What runs as one command, whether a node says it or its component. */
export const commandFields = {
  command: text,
  code: text,
  environment: anything,
  environment_variables: recordOf(text),
  distribution,
  resources,
  limits: shape({ timeout: seconds }),
  additional_includes: listOf(anything),
};

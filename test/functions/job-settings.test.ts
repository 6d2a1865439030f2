import { expect, test } from "vitest";
import { toDistribution, toIdentity, toServices } from "#functions/job-settings.ts";

test("a distribution has the service's words", () => {
  expect(toDistribution({ type: "pytorch", process_count_per_instance: 4 })).toEqual({
    distributionType: "PyTorch",
    processCountPerInstance: 4,
  });
  expect(toDistribution({ type: "tensorflow", worker_count: 2, parameter_server_count: 1 })).toEqual({
    distributionType: "TensorFlow",
    workerCount: 2,
    parameterServerCount: 1,
  });
});

test("an identity has the service's words, and one it may know goes through", () => {
  expect(toIdentity({ type: "managed", client_id: "c" })).toEqual({ identityType: "Managed", clientId: "c" });
  expect(toIdentity({ type: "user_identity" })).toEqual({ identityType: "UserIdentity" });
  expect(toIdentity({ type: "constructor" })).toEqual({ identityType: "constructor" });
});

test("a service keeps what is peculiar to its type among its properties", () => {
  const services = {
    board: { type: "tensor_board", log_dir: "logs", nodes: "all" },
    shell: { type: "ssh", ssh_public_keys: "ssh-rsa AAAA" },
    mine: { type: "custom", port: 8080, properties: { a: "b" } },
  };
  expect(toServices(services)).toEqual({
    board: { jobServiceType: "TensorBoard", nodes: { nodesValueType: "All" }, properties: { logDir: "logs" } },
    shell: { jobServiceType: "SSH", properties: { sshPublicKeys: "ssh-rsa AAAA" } },
    mine: { jobServiceType: "Custom", port: 8080, properties: { a: "b" } },
  });
});

// The three ways a wish for hardware is turned down, in the service's words.
import { userError, type ServiceError } from "./service-error.ts";
import { findVmSize, vmSizes } from "./sizes.ts";

export const sizeRefusals = ["NoSuchSize", "NoQuota", "NoCapacity", "NoCapacityLater"] as const;
/** `NoCapacityLater` lets the job in and fails it while its node is being made; the others refuse the PUT. */
export type SizeRefusal = (typeof sizeRefusals)[number];

export const allocationFailure = {
  code: "AllocationFailed",
  message:
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Try another VM size or region, or submit again later.",
} as const;

/** The answer to a PUT whose `instanceType` is refused. */
export function sizeError(
  refusal: Exclude<SizeRefusal, "NoCapacityLater">,
  instanceType: string,
  instanceCount: number,
): ServiceError {
  if (refusal === "NoCapacity") {
    return userError(allocationFailure.message, [allocationFailure.code], { vmSize: instanceType });
  }
  if (refusal === "NoQuota") {
    const size = findVmSize(instanceType);
    const cores = (size?.vCPUs ?? 1) * instanceCount;
    return userError(
      `The specified subscription has a ${size?.family ?? instanceType} vCPU quota of 0 and is less than the requested job node count of ${instanceCount} which maps to ${cores} vCPUs. Talk to your Subscription Admin or refer to https://docs.microsoft.com/azure/machine-learning/how-to-manage-quotas#request-quota-increases to increase the ${size?.family ?? instanceType} vCPU quota.`,
      ["QuotaExceeded", "JobNodeCountExceedsCoreQuota"],
      { vmSize: instanceType },
    );
  }
  const supported = vmSizes.map((size) => size.name.toUpperCase()).join(",");
  return userError(
    `The specified value ${instanceType} for property Cluster.Properties.VMSize is not a supported VM size. Supported VM sizes: ${supported}.`,
    ["InvalidPropertyValue", "UnsupportedVMSize"],
    { vmSize: instanceType },
  );
}

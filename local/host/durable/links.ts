// The URLs that clients are given. The library fills in the names between braces and the instance id.

/** Stands where an instance's id goes; the library replaces it. */
const idPlaceholder = "INSTANCEID";

export interface LinkParts {
  /** Origin and path, e.g. `http://localhost:7071/runtime/webhooks/durabletask`. */
  readonly base: string;
  readonly hubName: string;
  readonly key: string;
}

/** The nine management URLs of an instance, or of the placeholder. */
export function managementUrls({ base, hubName, key }: LinkParts, id = idPlaceholder) {
  const query = `taskHub=${hubName}&connection=Storage&code=${key}`;
  const instance = `${base}/instances/${id}`;
  return {
    id,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

export function creationUrls({ base, key }: LinkParts) {
  const start = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  return {
    createNewInstancePostUri: `${start}?code=${key}`,
    createAndWaitOnNewInstancePostUri: `${start}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${key}`,
  };
}

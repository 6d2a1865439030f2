// Table of contents: settings -> clients -> every function and orchestration, one entry each.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { app } from "@azure/functions";
import * as df from "durable-functions";
import { type ActivityImplementation, implement, implementWithClient } from "#functions/activity.ts";
import { createAdvanceDataset } from "#functions/activities/advance-dataset.ts";
import { createBuryNotification } from "#functions/activities/bury-notification.ts";
import { createCancelJob } from "#functions/activities/cancel-job.ts";
import { checkNodes } from "#functions/activities/check-nodes.ts";
import { createCollectOutputs } from "#functions/activities/collect-outputs.ts";
import { createDescribeFailure } from "#functions/activities/describe-failure.ts";
import { createGatherOutputs } from "#functions/activities/gather-outputs.ts";
import { createGetJob } from "#functions/activities/get-job.ts";
import { createReadCondition } from "#functions/activities/read-condition.ts";
import { createReadLoop } from "#functions/activities/read-loop.ts";
import { createReadSweep } from "#functions/activities/read-sweep.ts";
import { createReadTrialMetrics } from "#functions/activities/read-trial-metrics.ts";
import { createJudgeModel } from "#functions/activities/judge-model.ts";
import { createNotifyRunEnd } from "#functions/activities/notify-run-end.ts";
import { createSendNotification } from "#functions/activities/send-notification.ts";
import { createReadApproval } from "#functions/activities/read-approval.ts";
import { createLendMoney } from "#functions/activities/lend-money.ts";
import { createReadGraph } from "#functions/activities/read-graph.ts";
import { createRegisterModel } from "#functions/activities/register-model.ts";
import { createReleaseSlot } from "#functions/activities/release-slot.ts";
import { createRememberRun } from "#functions/activities/remember-run.ts";
import { createReportNode } from "#functions/activities/report-node.ts";
import { createRequestApproval } from "#functions/activities/request-approval.ts";
import { createSettleMoney } from "#functions/activities/settle-money.ts";
import { createSignalNodes } from "#functions/activities/signal-nodes.ts";
import { createStartBodyNodes } from "#functions/activities/start-body-nodes.ts";
import { createStartChampions } from "#functions/activities/start-champions.ts";
import { createStartNodes } from "#functions/activities/start-nodes.ts";
import { startTrials } from "#functions/activities/start-trials.ts";
import { createSubmitJob } from "#functions/activities/submit-job.ts";
import { createTakeSlot } from "#functions/activities/take-slot.ts";
import { createAdmission } from "#functions/admission.ts";
import type { App } from "#functions/app.ts";
import { createAssets } from "#functions/assets.ts";
import { createCostLedgers } from "#functions/cost/cost-ledgers.ts";
import { createDurations } from "#functions/cost/durations.ts";
import { createDeployedSchedules } from "#functions/deployed-schedules.ts";
import { createDatasetArrivals } from "#functions/dataset-arrivals.ts";
import { createDatasetVersions } from "#functions/dataset-versions.ts";
import { createDatasets } from "#functions/datasets.ts";
import { createEventLog } from "#functions/event-log.ts";
import { datasetArrived } from "#functions/events/dataset-arrived.ts";
import { jobChanged } from "#functions/events/job-changed.ts";
import { outputWritten } from "#functions/events/output-written.ts";
import { applyRetention } from "#functions/http/apply-retention.ts";
import { approveRun } from "#functions/http/approve-run.ts";
import { cancelRun } from "#functions/http/cancel-run.ts";
import { createDatasetUpload } from "#functions/http/create-dataset-upload.ts";
import { deleteDataset } from "#functions/http/delete-dataset.ts";
import { getDataset } from "#functions/http/get-dataset.ts";
import { getDatasetVersion } from "#functions/http/get-dataset-version.ts";
import { listDatasetVersions } from "#functions/http/list-dataset-versions.ts";
import { listDatasets } from "#functions/http/list-datasets.ts";
import { listEvents } from "#functions/http/list-events.ts";
import { putDataset } from "#functions/http/put-dataset.ts";
import { startDatasetRun } from "#functions/http/start-dataset-run.ts";
import { deleteWebhook } from "#functions/http/delete-webhook.ts";
import { getWebhook } from "#functions/http/get-webhook.ts";
import { listDeadLetters } from "#functions/http/list-dead-letters.ts";
import { listWebhooks } from "#functions/http/list-webhooks.ts";
import { putWebhook } from "#functions/http/put-webhook.ts";
import { redeliverDeadLetter } from "#functions/http/redeliver-dead-letter.ts";
import { rotateWebhookSecret } from "#functions/http/rotate-webhook-secret.ts";
import { testWebhook } from "#functions/http/test-webhook.ts";
import { createUpload } from "#functions/http/create-upload.ts";
import { deleteSchedule } from "#functions/http/delete-schedule.ts";
import { downloadNodeOutput } from "#functions/http/download-node-output.ts";
import { explainNode } from "#functions/http/explain-node.ts";
import { getModel } from "#functions/http/get-model.ts";
import { getModelVersion } from "#functions/http/get-model-version.ts";
import { listModels } from "#functions/http/list-models.ts";
import { getNode } from "#functions/http/get-node.ts";
import { getNodeLogs } from "#functions/http/get-node-logs.ts";
import { getNodeMetrics } from "#functions/http/get-node-metrics.ts";
import { getOpenApi } from "#functions/http/get-openapi.ts";
import { getPipeline } from "#functions/http/get-pipeline.ts";
import { getRetention } from "#functions/http/get-retention.ts";
import { getRun } from "#functions/http/get-run.ts";
import { getSchedule } from "#functions/http/get-schedule.ts";
import { listNodeOutputs } from "#functions/http/list-node-outputs.ts";
import { getComponent } from "#functions/http/get-component.ts";
import { listComponents } from "#functions/http/list-components.ts";
import { listComponentVersions } from "#functions/http/list-component-versions.ts";
import { putComponent } from "#functions/http/put-component.ts";
import { putPipeline } from "#functions/http/put-pipeline.ts";
import { listPipelines } from "#functions/http/list-pipelines.ts";
import { listPipelineVersions } from "#functions/http/list-pipeline-versions.ts";
import { rerunRun } from "#functions/http/rerun-run.ts";
import { listRuns } from "#functions/http/list-runs.ts";
import { listSchedules } from "#functions/http/list-schedules.ts";
import { pauseSchedule } from "#functions/http/pause-schedule.ts";
import { planRun } from "#functions/http/plan-run.ts";
import { putSchedule } from "#functions/http/put-schedule.ts";
import { resumeSchedule } from "#functions/http/resume-schedule.ts";
import { runSchedule } from "#functions/http/run-schedule.ts";
import { startInlineRun } from "#functions/http/start-inline-run.ts";
import { startNamedRun } from "#functions/http/start-named-run.ts";
import { createJobLogs } from "#functions/job-logs.ts";
import { loadNamedPipeline } from "#functions/named-pipeline.ts";
import { createPaceBody } from "#functions/paced-body.ts";
import { createOutputText } from "#functions/output-text.ts";
import { createPipelines } from "#functions/pipelines.ts";
import { createRegistryRoom } from "#functions/registry.ts";
import { createDataIdentities } from "#functions/reuse/data-identities.ts";
import { createNodeMemory } from "#functions/reuse/node-memory.ts";
import { createReuse } from "#functions/reuse/reuse.ts";
import { createApprovals } from "#functions/promotion/approvals.ts";
import { createRunArchive } from "#functions/retention/run-archive.ts";
import { createRunDocuments } from "#functions/run-documents.ts";
import { createSchedules } from "#functions/schedules.ts";
import { createSlots } from "#functions/slots.ts";
import { createStartRun } from "#functions/start-run.ts";
import { createDeadLetters } from "#functions/webhooks/dead-letters.ts";
import { createAddressGuard } from "#functions/webhooks/guard-address.ts";
import { createNotifications } from "#functions/webhooks/notifications.ts";
import { createWebhooks } from "#functions/webhooks/webhooks.ts";
import { checkRuns } from "#functions/timer/check-runs.ts";
import { fireSchedules } from "#functions/timer/fire-schedules.ts";
import { reapJobs } from "#functions/timer/reap-jobs.ts";
import { reconcileDatasets } from "#functions/timer/reconcile-datasets.ts";
import { retain } from "#functions/timer/retain.ts";
import * as activities from "#orchestrations/activities.ts";
import { deliverNotification } from "#orchestrations/deliver-notification.ts";
import { collectDataset } from "#orchestrations/collect-dataset.ts";
import { runDoWhile } from "#orchestrations/run-do-while.ts";
import { runIfElse } from "#orchestrations/run-if-else.ts";
import { runNode } from "#orchestrations/run-node.ts";
import { runPromote } from "#orchestrations/run-promote.ts";
import { runSweep } from "#orchestrations/run-sweep.ts";
import { runParallelFor } from "#orchestrations/run-parallel-for.ts";
import { runPipeline } from "#orchestrations/run-pipeline.ts";
import { createBlobs } from "#shared/azure/blob.ts";
import { createCredential } from "#shared/azure/credential.ts";
import { createMlClient } from "#shared/azure/ml-client.ts";
import { createMl } from "#shared/azure/ml.ts";
import { createModels } from "#shared/azure/models.ts";
import { createRegistry } from "#shared/azure/registry.ts";
import { createRecords } from "#shared/azure/records.ts";
import { createLog } from "#shared/log.ts";
import { createPlans } from "#shared/plans.ts";
import { parseSettings } from "#shared/settings.ts";

// The bundle lies in dist/, one folder below the app's root; the source lies in the root itself.
const here = dirname(fileURLToPath(import.meta.url));
const root = here.endsWith("dist") ? dirname(here) : here;

const settings = parseSettings(process.env, root);
const log = createLog(settings.logLevel);
const credential = createCredential(settings.credential);
const connection = createMlClient(settings, credential);
const ml = createMl(connection);
const blobs = createBlobs(ml, credential);
const plans = createPlans(blobs);
const assets = createAssets({ ml, blobs });
const records = createRecords(blobs);
const schedules = createSchedules(records);
const archive = createRunArchive({ blobs, records });
const pipelines = createPipelines({ folder: settings.pipelinesFolder, blobs });
const assetRegistry = createRegistry(connection);
const registry = createRegistryRoom({ registry: assetRegistry, records, assets });
const webhooks = createWebhooks({ records });
const notifications = createNotifications({ webhooks, log });
const { prices } = settings;
const costs = createCostLedgers({ records });
const admission = createAdmission({ assets });
const startRun = createStartRun({
  resolver: registry.resolver,
  admission,
  machinesPerJob: settings.machinesPerJob,
  plans,
  prices,
  archive,
  notifications,
  log,
});
const datasets = createDatasets({ folder: settings.datasetsFolder, records, log });
const versions = createDatasetVersions({ blobs, records });
const events = createEventLog({ records });
const data = createDataIdentities({ blobs, ml });
const memory = createNodeMemory({ blobs });
const context: App = {
  ml,
  blobs,
  log,
  plans,
  assets,
  readOutputText: createOutputText({ blobs }),
  logs: createJobLogs({ blobs }),
  pipelines,
  registry,
  runs: createRunDocuments({ plans, ml, memory, archive, prices, costs }),
  data,
  memory,
  reuse: createReuse({ assets, data, memory, log }),
  admission,
  startRun,
  slots: createSlots({ records }),
  models: createModels(connection),
  approvals: createApprovals({ records }),
  concurrency: settings.concurrency,
  prices,
  costs,
  durations: createDurations({ records }),
  deployment: settings.deployment,
  records,
  archive,
  retention: settings.retention,
  registeredPlaces: () => assetRegistry.places(),
  schedules,
  deployedSchedules: createDeployedSchedules({ folder: settings.schedulesFolder, schedules, log }),
  schedulesFolder: settings.schedulesFolder,
  datasets,
  versions,
  arrivals: createDatasetArrivals({
    datasets,
    versions,
    events,
    loadPipeline: (name) => loadNamedPipeline({ pipelines, registry }, name),
    startRun,
    log,
  }),
  events,
  eventDays: settings.eventDays,
  webhooks,
  deadLetters: createDeadLetters({ records }),
  notifications,
  guard: createAddressGuard(settings.webhookAllow),
};

app.setup({ enableHttpStream: true });
const paceBody = createPaceBody();

const routes = [
  startNamedRun,
  startInlineRun,
  planRun,
  listRuns,
  getRun,
  cancelRun,
  approveRun,
  rerunRun,
  getNode,
  getNodeLogs,
  getNodeMetrics,
  explainNode,
  listNodeOutputs,
  downloadNodeOutput,
  createUpload,
  listPipelines,
  listPipelineVersions,
  getPipeline,
  putPipeline,
  listComponents,
  listComponentVersions,
  getComponent,
  putComponent,
  listModels,
  getModel,
  getModelVersion,
  getRetention,
  applyRetention,
  listSchedules,
  getSchedule,
  putSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  runSchedule,
  listDatasets,
  getDataset,
  putDataset,
  deleteDataset,
  listDatasetVersions,
  getDatasetVersion,
  startDatasetRun,
  createDatasetUpload,
  listEvents,
  listWebhooks,
  getWebhook,
  putWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  testWebhook,
  listDeadLetters,
  redeliverDeadLetter,
].map((create) => create(context));

for (const route of [...routes, getOpenApi(context, routes)]) {
  const { name, method, path, authLevel = "function" } = route.contract;
  app.http(name, {
    methods: [method],
    route: path,
    authLevel,
    extraInputs: [df.input.durableClient()],
    handler: async (request, invocation) =>
      paceBody(await route.handle(request, df.getClient(invocation), invocation, log), invocation.invocationId),
  });
}

for (const event of [outputWritten(context), jobChanged(context), datasetArrived(context)]) {
  app.eventGrid(event.name, {
    extraInputs: [df.input.durableClient()],
    handler: (payload, invocation) => event.handle(payload, df.getClient(invocation)),
  });
}

for (const timer of [
  checkRuns(context),
  reapJobs(context),
  fireSchedules(context),
  retain(context),
  reconcileDatasets(context),
]) {
  app.timer(timer.name, {
    schedule: timer.schedule,
    extraInputs: [df.input.durableClient()],
    handler: (_timer, invocation) => timer.handle(df.getClient(invocation)),
  });
}

const submit = createSubmitJob(context);
const implementations: ActivityImplementation[] = [
  implement(activities.prep, submit),
  implement(activities.train, submit),
  implement(activities.score, submit),
  implement(activities.submitJob, submit),
  implement(activities.getJob, createGetJob(context)),
  implement(activities.cancelJob, createCancelJob(context)),
  implement(activities.collectOutputs, createCollectOutputs(context)),
  implement(activities.describeFailure, createDescribeFailure(context)),
  implement(activities.readSweep, createReadSweep(context)),
  implement(activities.readCondition, createReadCondition(context)),
  implement(activities.readLoop, createReadLoop(context)),
  implement(activities.gatherOutputs, createGatherOutputs(context)),
  implementWithClient(activities.startBodyNodes, createStartBodyNodes(context)),
  implementWithClient(activities.judgeModel, createJudgeModel(context)),
  implementWithClient(activities.startChampions, createStartChampions(context)),
  implementWithClient(activities.requestApproval, createRequestApproval(context)),
  implement(activities.readApproval, createReadApproval(context)),
  implementWithClient(activities.registerModel, createRegisterModel(context)),
  implementWithClient(activities.readTrialMetrics, createReadTrialMetrics(context)),
  implementWithClient(activities.startTrials, startTrials),
  implement(activities.sendNotification, createSendNotification(context)),
  implement(activities.buryNotification, createBuryNotification(context)),
  implementWithClient(activities.notifyRunEnd, createNotifyRunEnd(context)),
  implementWithClient(activities.advanceDataset, createAdvanceDataset(context)),
  implement(activities.readGraph, createReadGraph(context)),
  implement(activities.takeSlot, createTakeSlot(context)),
  implementWithClient(activities.releaseSlot, createReleaseSlot(context)),
  implementWithClient(activities.lendMoney, createLendMoney(context)),
  implement(activities.settleMoney, createSettleMoney(context)),
  implementWithClient(activities.reportNode, createReportNode(context)),
  implementWithClient(activities.rememberRun, createRememberRun(context)),
  implementWithClient(activities.startNodes, createStartNodes(context)),
  implementWithClient(activities.signalNodes, createSignalNodes(context)),
  implementWithClient(activities.checkNodes, checkNodes),
];

for (const activity of implementations) {
  df.app.activity(activity.name, {
    extraInputs: activity.needsClient ? [df.input.durableClient()] : [],
    handler: (input, invocation) => activity.run(input, () => df.getClient(invocation), invocation),
  });
}

df.app.orchestration("runPipeline", runPipeline);
df.app.orchestration("runNode", runNode);
df.app.orchestration("runSweep", runSweep);
df.app.orchestration("runIfElse", runIfElse);
df.app.orchestration("runDoWhile", runDoWhile);
df.app.orchestration("runParallelFor", runParallelFor);
df.app.orchestration("runPromote", runPromote);
df.app.orchestration("collectDataset", collectDataset);
df.app.orchestration("deliverNotification", deliverNotification);

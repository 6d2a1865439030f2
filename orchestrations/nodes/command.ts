// A node that is one Azure ML command job. The flagship's components are submitted by activities of their own names.
import { prep, score, submitJob, train } from "../activities.ts";

const named = { prep, train, score };

export const command = {
  orchestration: "runNode",
  submitActivity: (component: string) => (component in named ? named[component as keyof typeof named] : submitJob),
};

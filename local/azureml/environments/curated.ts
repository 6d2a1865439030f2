// Azure ML's curated environments that samples name most, as the packages a script imports from them. The service
// runs their images; here the same imports are served by pip.

export interface CuratedEnvironment {
  /** Wanted Python, as `major.minor`. */
  readonly python: string;
  readonly requirements: readonly string[];
}

const sklearn = ["scikit-learn~=1.5.0", "numpy<2", "pandas<3", "scipy", "joblib", "matplotlib", "mlflow-skinny<4"];

/** Name in the workspace (prefix `AzureML-`) or in the `azureml` registry -> what it holds. */
export const curatedEnvironments: Readonly<Record<string, CuratedEnvironment>> = {
  "sklearn-1.5": { python: "3.10", requirements: sklearn },
  "AzureML-sklearn-1.5": { python: "3.10", requirements: sklearn },
  "AzureML-minimal": { python: "3.10", requirements: [] },
};

// Azure ML's curated environments and well-known images, as the packages a script imports from them. The service runs
// their images; here the same imports are served by pip. A family keeps one set for all its versions.
export interface CuratedEnvironment {
  /** Wanted Python, as `major.minor`; undefined when any will do. */
  readonly python?: string;
  readonly requirements: readonly string[];
}

interface Family extends CuratedEnvironment {
  /** What its names begin with, as people are told. */
  readonly title: string;
  readonly names: RegExp;
}

const python = "3.10";
const usual = ["scipy", "joblib", "matplotlib", "typing_extensions"];
// The last pandas and scikit-learn of their time have no wheels for newer Pythons.
const old = 'python_version < "3.12"';
const newer = 'python_version >= "3.12"';
const sklearnOfThen = [
  `scikit-learn>=1.0,<1.3; ${old}`,
  `scikit-learn<2; ${newer}`,
  `pandas<2; ${old}`,
  `pandas<3; ${newer}`,
  `numpy<2; ${old}`,
  "mlflow-skinny<3",
  ...usual,
];

const families: readonly Family[] = [
  {
    title: "sklearn-1.5",
    names: /^sklearn-1\.([5-9]|\d\d)/,
    python,
    requirements: ["scikit-learn>=1.5,<2", "pandas<3", "mlflow-skinny<4", ...usual],
  },
  { title: "sklearn-1.0", names: /^sklearn-(0\.\d+|1\.[0-4])/, python, requirements: sklearnOfThen },
  { title: "lightgbm-3.3", names: /^lightgbm-/, python, requirements: ["lightgbm>=3.2,<4", ...sklearnOfThen] },
  {
    title: "tensorflow-2.16",
    names: /^tensorflow-2/,
    python,
    requirements: ["tensorflow-cpu>=2.4,<3", "pandas<3", "scikit-learn<2", "mlflow-skinny<4", ...usual],
  },
  {
    title: "pytorch-2.2",
    names: /^(acpt-)?pytorch-/,
    python,
    requirements: ["torch", "torchvision", "pandas<3", "scikit-learn<2", "mlflow-skinny<4", ...usual],
  },
  { title: "minimal", names: /^minimal\b/, python, requirements: [] },
];

/** What a curated environment holds, by its name in the `azureml` registry or in a workspace (`AzureML-...`). */
export function findCurated(name: string): CuratedEnvironment | undefined {
  const plain = name.toLowerCase().replace(/^azureml-/, "");
  return families.find(({ names }) => names.test(plain));
}

/** What an image holds that a script can import, beyond Python itself; undefined for an image nobody knows. */
export function findImage(image: string): CuratedEnvironment | undefined {
  const [, path = "", tag = ""] = /^(?:docker\.io\/)?(?:library\/)?([^:@]+)(?::([^@]+))?/.exec(image) ?? [];
  const curated = /^mcr\.microsoft\.com\/azureml\/curated\/(.+)$/.exec(path)?.[1];
  if (curated !== undefined) return findCurated(curated);
  if (path === "tensorflow/tensorflow") return findCurated(`tensorflow-${/^\d/.test(tag) ? tag : "2"}`);
  if (path === "pytorch/pytorch") return findCurated("pytorch-2");
  const wanted = path === "python" ? /^3\.\d+/.exec(tag)?.[0] : undefined;
  return wanted === undefined ? undefined : { python: wanted, requirements: [] };
}

export const curatedTitles: readonly string[] = families.map(({ title }) => title);

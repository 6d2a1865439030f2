// What to do about a module that Python does not find: which pip package holds it, and where that is listed.

/** Module -> pip package, where the names differ; the longest beginning counts. */
const packages: Readonly<Record<string, string>> = {
  attr: "attrs",
  "azure.ai.ml": "azure-ai-ml",
  "azure.identity": "azure-identity",
  "azure.storage.blob": "azure-storage-blob",
  "azureml.core": "azureml-core",
  "azureml.dataprep": "azureml-dataprep",
  "azureml.mlflow": "azureml-mlflow",
  bs4: "beautifulsoup4",
  cv2: "opencv-python-headless",
  dateutil: "python-dateutil",
  dotenv: "python-dotenv",
  fitz: "pymupdf",
  git: "gitpython",
  "google.protobuf": "protobuf",
  jwt: "pyjwt",
  osgeo: "gdal",
  PIL: "pillow",
  pytorch_lightning: "pytorch-lightning",
  serial: "pyserial",
  skimage: "scikit-image",
  sklearn: "scikit-learn",
  umap: "umap-learn",
  yaml: "pyyaml",
};

/** @param line a program's last word, such as `ModuleNotFoundError: No module named 'sklearn'`; `undefined` for any other */
export function missingModuleAdvice(line: string): string | undefined {
  const module = /(?:ModuleNotFoundError|^\S*python[\d.]*): No module named ['"]?([\w.]+)/.exec(line.trim())?.[1];
  if (module === undefined) return undefined;
  const parts = module.split(".");
  const beginnings = parts.map((_, index) => parts.slice(0, parts.length - index).join("."));
  const known = beginnings.find((name) => Object.hasOwn(packages, name));
  const wanted = known === undefined ? parts[0] : packages[known];
  return `List \`${wanted}\` under \`pip\` in the \`conda_file\` of the node's environment, or put a module of your own into its \`code\` folder`;
}

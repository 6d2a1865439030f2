// What a job is known to fetch before it runs, and what of that is held against it.
import { expect, test } from "vitest";
import { downloadsOfCommand, downloadsOfScript, scriptsOfCommand } from "#local/azureml/certain-downloads.ts";
import { checkDownloads } from "#local/azureml/check-downloads.ts";
import { withEndMarker } from "#shared/domain/end-marker.ts";

const urls = (found: readonly { url: string }[]) => found.map(({ url }) => url);

test.each([
  ["wget https://a.example/x.gz && tar -xf x.gz", ["https://a.example/x.gz"]],
  ["mkdir d && curl -sSL -o d/x 'https://a.example/x?y=1' && cat d/x", ["https://a.example/x?y=1"]],
  ["set -euo pipefail\nwget -q http://a.example/x", ["http://a.example/x"]],
  // Without these the command goes on.
  ["curl https://hooks.example/told; python train.py", []],
  ["wget https://a.example/x || cp /backup/x .", []],
  ["if [ ! -f x ]; then wget https://a.example/x && true; fi", []],
  ["# wget https://a.example/x && true", []],
  ["echo wget https://a.example/x && true", []],
  ["wget $URL && tar -xf x", []],
])("%s", (command, expected) => {
  expect(urls(downloadsOfCommand(withEndMarker(command)))).toEqual(expected);
});

test("the scripts of a command are those that Python is given by name", () => {
  const command = "python ./prep.py --out o; python3.11 -u sub/next.py && python -m pkg.main; cat other.py";
  expect(scriptsOfCommand(withEndMarker(command))).toEqual(["prep.py", "sub/next.py"]);
});

test("a script fetches for certain what it fetches at its top level, whatever its line ends", () => {
  const script = [
    "import urllib.request",
    "urllib.request.urlretrieve(",
    '    "https://a.example/data.gz", filename="x")',
    "page = requests.get('https://b.example/')",
    "def load():",
    '    return urlopen("https://c.example/")',
    "if missing:",
    '    urlretrieve("https://d.example/", "x")',
    '# urlretrieve("https://e.example/", "x")',
    'print("https://f.example/")',
    'urlretrieve(f"https://{host}/x", "x")',
  ];
  const expected = [
    { url: "https://a.example/data.gz", place: "get.py line 2" },
    { url: "https://b.example/", place: "get.py line 4" },
  ];
  for (const end of ["\n", "\r\n"]) expect(downloadsOfScript("get.py", script.join(end))).toEqual(expected);
});

const script = 'urlretrieve("https://nowhere.example/data?sig=secret", "x")\n';
const job = (hosts: readonly string[]) => ({
  command: withEndMarker("python get.py"),
  readFile: (path: string) => Promise.resolve(path === "get.py" ? script : undefined),
  hasHost: (host: string) => Promise.resolve(hosts.includes(host)),
});

test("a job whose host nobody knows is told what it fetches and where, and what to do", async () => {
  await expect(checkDownloads(job([]))).rejects.toThrow(
    "It fetches https://nowhere.example/data (get.py line 1), and this machine finds no host of that name: give the job the file as an input.",
  );
});

test("a job whose host is there, or whose script is not, is left alone", async () => {
  await expect(checkDownloads(job(["nowhere.example"]))).resolves.toBeUndefined();
  await expect(checkDownloads({ ...job([]), readFile: () => Promise.resolve(undefined) })).resolves.toBeUndefined();
});

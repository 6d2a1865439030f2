// What the job of a `parallel` node runs: a program of the Python standard library that splits the input, keeps worker processes
// busy with the author's entry script, and counts what fails. It travels inside the job's command, so the author's snapshot stays
// as it is. Written as raw text: a backquote or a dollar with a brace must not occur in it.

export const harness = String.raw`import argparse
import importlib.util
import io
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from multiprocessing import connection

log = logging.getLogger("mlpipe.parallel")


def read_settings(argv):
    own, program = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("entry_script", "input", "append_row_to", "logging_level"):
        parser.add_argument("--" + name)
    for name in ("files_per_batch", "bytes_per_batch", "concurrency", "max_retries"):
        parser.add_argument("--" + name, type=int)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--error_threshold", type=int, default=-1)
    parser.add_argument("--mini_batch_error_threshold", type=int, default=-1)
    settings = parser.parse_args(own)
    # What Azure ML reads out of the program's arguments.
    predefined = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    predefined.add_argument("--error_threshold", type=int, default=settings.error_threshold)
    predefined.add_argument("--allowed_failed_percent", type=float, default=100)
    predefined.add_argument("--first_task_creation_timeout", type=float, default=600)
    for name in ("task_overhead_timeout", "progress_update_timeout", "resource_monitor_interval"):
        predefined.add_argument("--" + name)
    for name in ("copy_logs_to_parent", "push_metrics_to_parent", "metrics_name_prefix"):
        predefined.add_argument("--" + name)
    found, settings.program_arguments = predefined.parse_known_args(program)
    vars(settings).update(vars(found))
    return settings


def machine_concurrency():
    if os.path.exists("/dev/nvidia0"):
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def split(settings):
    """Mini-batches: ("files", [path, ...]) or ("lines", path, start, end)."""
    root = os.path.abspath(settings.input)
    if os.path.isfile(root) and settings.bytes_per_batch:
        return split_lines(root, settings.bytes_per_batch)
    paths = [root]
    if os.path.isdir(root):
        paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    elif not os.path.exists(root):
        raise SystemExit("the input " + settings.input + " is not there")
    if not settings.bytes_per_batch:
        step = settings.files_per_batch
        return [("files", paths[at : at + step]) for at in range(0, len(paths), step)]
    batches, size = [], 0
    for path in paths:
        more = os.path.getsize(path)
        if not batches or size + more > settings.bytes_per_batch:
            batches.append(("files", []))
            size = 0
        batches[-1][1].append(path)
        size += more
    return batches


def is_table(path):
    return path.lower().endswith((".csv", ".tsv"))


def split_lines(path, limit):
    batches = []
    with open(path, "rb") as file:
        if is_table(path):
            file.readline()
        start = end = file.tell()
        for line in file:
            if end > start and end + len(line) - start > limit:
                batches.append(("lines", path, start, end))
                start = end
            end += len(line)
    return batches + ([("lines", path, start, end)] if end > start else [])


def load(batch):
    """The mini-batch as run() receives it."""
    if batch[0] == "files":
        return list(batch[1])
    _, path, start, end = batch
    with open(path, "rb") as file:
        header = file.readline() if is_table(path) else b""
        file.seek(start)
        content = file.read(end - start)
    if not is_table(path):
        return content.decode("utf-8", "replace").splitlines()
    try:
        import pandas
    except ImportError:
        raise RuntimeError("mini-batches of a table are pandas DataFrames: list pandas in the environment") from None
    separator = "\t" if path.lower().endswith(".tsv") else ","
    return pandas.read_csv(io.BytesIO(header + content), sep=separator)


def to_rows(result):
    """(number of rows, their text), one line for each; a DataFrame's cells are separated by blanks."""
    if result is None:
        return 0, ""
    if hasattr(result, "to_csv"):
        return len(result), result.to_csv(sep=" ", header=False, index=False)
    if isinstance(result, (str, bytes, dict)) or not hasattr(result, "__len__"):
        raise TypeError("run() has to return a list or a pandas DataFrame, not " + type(result).__name__)
    return len(result), "".join(str(row) + "\n" for row in result)


def import_script(settings):
    path = os.path.abspath(settings.entry_script)
    if not os.path.isfile(path):
        raise RuntimeError("there is no entry script " + settings.entry_script + " in the code")
    sys.argv = [path] + settings.program_arguments
    for folder in (os.path.dirname(path), os.getcwd()):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "run", None)):
        raise RuntimeError("the entry script " + settings.entry_script + " has no function run(mini_batch)")
    return module


def set_logging(settings):
    logging.basicConfig(level=settings.logging_level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)


def work(pipe, settings, folder):
    """One worker process: init() once, then run() for each mini-batch that comes, until None comes."""
    # A cancelled job ends here too, whatever the main process does.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    set_logging(settings)
    try:
        script = import_script(settings)
        if callable(getattr(script, "init", None)):
            script.init()
    except BaseException:
        pipe.send(("broken", traceback.format_exc()))
        return
    pipe.send(("ready",))
    try:
        while True:
            task = pipe.recv()
            if task is None:
                break
            index, batch = task
            try:
                data = load(batch)
                count, rows = to_rows(script.run(data))
                with open(os.path.join(folder, str(index)), "w", encoding="utf-8") as file:
                    file.write(rows)
                pipe.send(("done", len(data), count))
            except Exception:
                pipe.send(("failed", traceback.format_exc()))
    except (EOFError, BrokenPipeError):
        return
    if callable(getattr(script, "shutdown", None)):
        script.shutdown()


class Worker:
    def __init__(self, settings, folder):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, settings, folder))
        self.process.start()
        theirs.close()
        self.task = None
        self.is_ready = False
        self.deadline = time.monotonic() + settings.first_task_creation_timeout

    def end(self):
        self.pipe.close()
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Stop(Exception):
    pass


class Run:
    def __init__(self, settings, folder, rows):
        self.settings, self.folder, self.rows = settings, folder, rows
        self.batches = split(settings)
        self.waiting = [(index, 1) for index in reversed(range(len(self.batches)))]
        self.ended = {}
        self.appended = 0
        self.failed_items = 0
        self.failed_batches = 0
        self.workers = []

    def size(self, index):
        batch = self.batches[index]
        if batch[0] == "files":
            return len(batch[1])
        with open(batch[1], "rb") as file:
            file.seek(batch[2])
            return file.read(batch[3] - batch[2]).count(b"\n") or 1

    def go(self):
        wanted = min(self.settings.concurrency or machine_concurrency(), len(self.batches))
        log.info("%d mini-batches in %d processes", len(self.batches), wanted)
        self.workers = [Worker(self.settings, self.folder) for _ in range(wanted)]
        while len(self.ended) < len(self.batches):
            pause = max(0, min(worker.deadline for worker in self.workers) - time.monotonic())
            ready = connection.wait([worker.pipe for worker in self.workers], min(pause, 3600))
            for worker in [one for one in self.workers if one.pipe in ready]:
                self.hear(worker)
            for worker in [one for one in self.workers if one.deadline <= time.monotonic()]:
                self.late(worker)
        if self.failed_batches > len(self.batches) * self.settings.allowed_failed_percent / 100:
            raise Stop("%d of %d mini-batches failed" % (self.failed_batches, len(self.batches)))

    def hear(self, worker):
        try:
            kind, *rest = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            self.lost(worker, "the process ended with code %s" % worker.process.exitcode)
            return
        if kind == "broken":
            raise Stop("init() failed\n" + rest[0])
        if kind == "ready":
            worker.is_ready = True
        elif kind == "done":
            index, _ = worker.task
            items, count = rest
            self.end(index, max(0, items - count), "%d items, %d rows" % (items, count))
        else:
            self.again(worker.task, rest[0])
        self.give(worker)

    def give(self, worker):
        worker.task = self.waiting.pop() if self.waiting else None
        worker.deadline = float("inf")
        if worker.task is not None:
            index = worker.task[0]
            worker.deadline = time.monotonic() + self.settings.timeout
            try:
                worker.pipe.send((index, self.batches[index]))
            except OSError:
                self.lost(worker, "the process is gone")

    def late(self, worker):
        if not worker.is_ready:
            raise Stop("init() took longer than %g seconds" % self.settings.first_task_creation_timeout)
        self.lost(worker, "run() took longer than %g seconds" % self.settings.timeout)

    def lost(self, worker, why):
        if not worker.is_ready:
            raise Stop("init() failed: " + why)
        worker.end()
        self.workers.remove(worker)
        if worker.task is not None:
            self.again(worker.task, why)
        if self.waiting or not self.workers:
            self.workers.append(Worker(self.settings, self.folder))

    def again(self, task, why):
        index, attempt = task
        log.warning("mini-batch %d, attempt %d: %s", index, attempt, why.rstrip())
        if attempt <= self.settings.max_retries:
            self.waiting.append((index, attempt + 1))
            for worker in self.workers:
                if worker.is_ready and worker.task is None:
                    self.give(worker)
                    break
            return
        part = os.path.join(self.folder, str(index))
        if os.path.exists(part):
            os.remove(part)
        self.end(index, self.size(index), "failed")

    def end(self, index, failed_items, what):
        self.ended[index] = True
        self.failed_items += failed_items
        self.failed_batches += failed_items > 0
        log.info("mini-batch %d: %s (%d of %d)", index, what, len(self.ended), len(self.batches))
        self.append()
        for count, limit, name in (
            (self.failed_items, self.settings.error_threshold, "items"),
            (self.failed_batches, self.settings.mini_batch_error_threshold, "mini-batches"),
        ):
            if 0 <= limit < count:
                raise Stop("%d %s failed, and %d may" % (count, name, limit))

    def append(self):
        """Takes over the rows of the mini-batches that are next in order."""
        while self.appended in self.ended:
            part = os.path.join(self.folder, str(self.appended))
            if os.path.exists(part):
                if self.rows is not None:
                    with open(part, "rb") as file:
                        shutil.copyfileobj(file, self.rows)
                os.remove(part)
            self.appended += 1

    def close(self, is_whole):
        for worker in self.workers:
            if is_whole and worker.is_ready and worker.task is None:
                try:
                    worker.pipe.send(None)
                    worker.process.join(60)
                except OSError:
                    pass
            worker.end()


def main():
    settings = read_settings(sys.argv[1:])
    set_logging(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp()
    path = settings.append_row_to
    if path:
        if os.path.isdir(path):
            path = os.path.join(path, "parallel_run_step.txt")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    rows = open(path, "wb") if path else None
    run = Run(settings, folder, rows)
    is_whole = False
    try:
        run.go()
        is_whole = True
        log.info("%d mini-batches, %d failed; %d items failed", len(run.batches), run.failed_batches, run.failed_items)
    except Stop as reason:
        log.error("%s", reason)
    finally:
        run.close(is_whole)
        if rows is not None:
            rows.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
`;

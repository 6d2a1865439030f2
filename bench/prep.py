"""prep beside a byte-by-byte loop over the same 60,000 + 10,000 images: seconds, peak memory, same bytes.

python3 bench/prep.py [training images] [test images]
"""

import hashlib
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PREP = Path(__file__).parent.parent / "components/prep/src/prep.py"


def write_idx(folder, prefix, count):
    """As sparse as Fashion-MNIST: about half of the pixels are zero."""
    source = random.Random(count)
    blank = bytes(784)
    dense = [bytes(value if value > 127 else 0 for value in source.randbytes(784)) for _ in range(499)] + [blank]
    images = b"".join(source.choices(dense, k=count))
    labels = bytes(source.choices(range(10), k=count))
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + images)
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def loop(folder, prefix, count, csv):
    """What prep is measured against: every pixel read, converted and kept on its own."""
    with (
        open(f"{folder}/{prefix}-images-idx3-ubyte", "rb") as images,
        open(f"{folder}/{prefix}-labels-idx1-ubyte", "rb") as labels,
        open(csv, "w") as output,
    ):
        images.read(16)
        labels.read(8)
        rows = []
        for _ in range(count):
            row = [ord(labels.read(1))]
            for _ in range(28 * 28):
                row.append(ord(images.read(1)))
            rows.append(row)
        for row in rows:
            output.write(",".join(str(value) for value in row) + "\n")


def measure(command, output):
    """Returns (seconds, processor seconds, peak resident megabytes) of a child process that writes CSV to `output`."""
    for csv in output.glob("*.csv"):
        csv.unlink()  # or the child pays for cutting the old file
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # ru_maxrss is in bytes there, in kilobytes elsewhere
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def digest(folder):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(folder).glob("*.csv"))]


def main(train_count, test_count):
    with tempfile.TemporaryDirectory() as scratch:
        data, slow, fast = (Path(scratch) / name for name in ("data", "loop", "prep"))
        for folder in (data, slow, fast):
            folder.mkdir()
        # In a process of its own, because a child's peak memory starts at its parent's.
        subprocess.run([sys.executable, __file__, "data", data, slow, str(train_count), str(test_count)], check=True)
        prep = [sys.executable, PREP, "--input_data", data, "--training_data", fast, "--test_data", fast]
        slow_run = measure([sys.executable, __file__, "loop", data, slow, str(train_count), str(test_count)], slow)
        fast_run = [sorted(figure)[2] for figure in zip(*(measure(prep, fast) for _ in range(5)))]
        print(f"{train_count} + {test_count} images, Python {sys.version.split()[0]}, each in a process of its own")
        for name, run in (("byte-by-byte loop", slow_run), ("prep, medians of 5", fast_run)):
            print(f"{name:20}{run[0]:7.2f} s {run[1]:7.2f} s of processor time {run[2]:6.0f} MB at most")
        same = "the same" if digest(slow) == digest(fast) else "DIFFERENT"
        print(
            f"{slow_run[0] / fast_run[0]:.1f} times faster by the clock, "
            f"{slow_run[1] / fast_run[1]:.1f} times by processor time; CSV bytes {same}"
        )


if __name__ == "__main__":
    if sys.argv[1:2] in (["data"], ["loop"]):
        part, folder, output, *counts = sys.argv[1:]
        for prefix, csv, count in zip(("train", "t10k"), ("mnist_train.csv", "mnist_test.csv"), map(int, counts)):
            if part == "data":
                write_idx(Path(folder), prefix, count)
            else:
                loop(folder, prefix, count, f"{output}/{csv}")
    else:
        counts = [int(count) for count in sys.argv[1:]]
        main(*(counts or (60_000, 10_000)))

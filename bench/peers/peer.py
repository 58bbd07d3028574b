"""One library in a process of its own, so that its memory can be told: builds an index, or opens it
and sweeps over ef. Prints one JSON object."""

import argparse
import gc
import json
import time

from dataset import Dataset
from libraries import LIBRARIES


def private_bytes():
    """Memory that only this process holds, as `vectordoc bench` counts it; None where untold."""
    gc.collect()
    try:
        lines = open("/proc/self/smaps_rollup").readlines()
    except OSError:
        return None
    kinds = ("Private_Clean:", "Private_Dirty:")
    return sum(int(line.split()[1]) for line in lines if line.startswith(kinds)) * 1024


def build(library, dataset, path):
    rows = dataset.base()
    wall, cpu = time.perf_counter(), time.process_time()
    library.build(rows)
    took = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }
    library.save(path)
    return took


def search(library, dataset, path, arguments):
    queries = dataset.queries()
    before = private_bytes()
    library.open(path)
    library.search(queries[:1], arguments.limit, arguments.ef[0])
    after = private_bytes()
    measure = lambda ef: library.search(queries, arguments.limit, ef)
    points = []
    for ef in arguments.ef:
        found = measure(ef)
        passes, start = 0, time.perf_counter()
        while time.perf_counter() - start < arguments.seconds:
            measure(ef)
            passes += 1
        elapsed = time.perf_counter() - start
        points.append({"ef": ef, "found": found, "qps": passes * len(queries) / elapsed})
    for point in points:
        point["recall"] = dataset.recall(queries, point.pop("found"), arguments.limit)
    memory = None if before is None else (after - before) / dataset.documents
    return {"bytes_per_document": memory, "search": points}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("build", "search"))
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("folder")
    parser.add_argument("path")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--ef", type=lambda text: [int(ef) for ef in text.split(",")], default=[10])
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()

    dataset = Dataset(arguments.folder)
    library = LIBRARIES[arguments.library](dataset.space, dataset.dim)
    if arguments.task == "build":
        told = build(library, dataset, arguments.path)
    else:
        told = search(library, dataset, arguments.path, arguments)
    print(json.dumps(told))


main()

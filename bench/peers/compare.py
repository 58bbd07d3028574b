"""Compare vectordoc with other vector libraries on a data set folder.

Everything is built with one thread, then all contenders sweep over ef in alternating rounds, one
thread each; what is printed are medians, and ratios to hnswlib. Only vectors are compared: the
fields of the data set are left out, since most of the libraries hold none.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

from table import behind, lines, summary

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BASELINE = "hnswlib"
OURS = "vectordoc"
EF = "10,12,16,20,24,32,40,48,64,96,128,192,256,384,512"
VECTOR_FILES = ("dataset.json", "base.npy", "queries.npy", "gt_ids.npy", "gt_dist.npy")
# One thread each, also in libraries that would take more.
ONE_THREAD = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")


class Vectordoc:
    about = "as `vectordoc bench` builds it"

    def __init__(self, program, folder, place, arguments):
        self.place = place / "database"
        self.command = [program, "bench", folder, "--json", "--threads", "1"]
        self.command += ["--limit", arguments.limit, "--database", self.place]
        self.ef = arguments.ef

    def build(self):
        shutil.rmtree(self.place, ignore_errors=True)
        return told([*self.command, "--ef", self.ef.split(",")[0]])["build"]

    def search(self):
        report = told([*self.command, "--ef", self.ef])
        memory = report["memory"]["bytes_per_document"]
        return {"bytes_per_document": memory, "search": report["search"]}


class Peer:
    def __init__(self, name, folder, place, arguments):
        from libraries import LIBRARIES

        library = LIBRARIES[name]
        self.about = f"{library.package.split('==')[1]}: {library.about}"
        self.name, self.folder, self.place = name, folder, place / f"{name}.index"
        self.options = ["--limit", arguments.limit, "--ef", arguments.ef]

    def build(self):
        return self.run("build")

    def search(self):
        return self.run("search")

    def run(self, task):
        command = [sys.executable, "-B", HERE / "peer.py", task, self.name, self.folder, self.place]
        return told([*command, *self.options])


def told(command):
    """The JSON object that a command prints."""
    done = subprocess.run(
        list(map(str, command)), env=ONE_THREAD, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        sys.exit(f"this ended with {done.returncode}: {' '.join(map(str, command))}")
    return json.loads(done.stdout)


def parse():
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="the data set folder")
    parser.add_argument("--rounds", type=int, default=5, help="sweeps of each (default 5)")
    parser.add_argument("--builds", type=int, default=1, help="builds of each (default 1)")
    parser.add_argument(
        "--peers",
        default=BASELINE,
        help="of hnswlib, faiss, usearch, usearch-i8, symqg, with commas (default hnswlib)",
    )
    parser.add_argument("--vectordoc", help="the program (default: built here by cargo)")
    parser.add_argument("--ef", default=EF, help=f"the sweep (default {EF})")
    parser.add_argument("--limit", type=int, default=10, help="hits per query (default 10)")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.builds < 1:
        parser.error("--rounds and --builds need 1 or more")
    if not (arguments.folder / "dataset.json").is_file():
        parser.error(f"{arguments.folder} is no data set folder: it has no dataset.json")
    return arguments


def peers_of(arguments, metric):
    """The chosen libraries, the baseline first, after installing what they need."""
    subprocess.run(pip("numpy"), check=True)
    from libraries import LIBRARIES

    chosen = [name for name in arguments.peers.split(",") if name != BASELINE]
    unknown = [name for name in chosen if name not in LIBRARIES]
    if unknown:
        sys.exit(f"no peer is called {unknown[0]!r}; there are: {', '.join(LIBRARIES)}")
    unfit = [name for name in chosen if metric not in getattr(LIBRARIES[name], "metrics", [metric])]
    for name in unfit:
        note(f"{name} is left out: it does not measure {metric}")
    names = [BASELINE, *(name for name in chosen if name not in unfit)]
    subprocess.run(pip(*{LIBRARIES[name].package for name in names}), check=True)
    return names


def pip(*packages):
    return [sys.executable, "-m", "pip", "install", "--quiet", *packages]


def program(arguments):
    if arguments.vectordoc:
        return pathlib.Path(arguments.vectordoc).resolve()
    build = ["cargo", "build", "--release", "--package", "vectordoc-server", "--bin", "vectordoc"]
    subprocess.run(build, cwd=ROOT, check=True, stdout=sys.stderr)
    return TARGET / "release" / "vectordoc"


def vectors_only(source, place):
    """A data set folder with the vectors of another."""
    folder = place / "vectors"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in VECTOR_FILES:
        if (source / name).is_file():
            (folder / name).symlink_to((source / name).resolve())
    return folder


def compare(contenders, arguments):
    """Builds and rounds of every contender, in turn; every other round the other way round, so that
    none always comes after the same one."""
    results = {name: {"builds": [], "rounds": []} for name in contenders}
    tasks = [("builds", "build", arguments.builds), ("rounds", "search", arguments.rounds)]
    for key, task, times in tasks:
        for turn in range(times):
            for name in list(contenders)[:: 1 if turn % 2 == 0 else -1]:
                note(f"{task} {turn + 1} of {times}: {name}")
                results[name][key].append(getattr(contenders[name], task)())
    return results


def note(text):
    print(text, file=sys.stderr, flush=True)


def main():
    arguments = parse()
    about = json.loads((arguments.folder / "dataset.json").read_text())
    place = TARGET / "peers" / about["name"]
    folder = vectors_only(arguments.folder, place)
    names = peers_of(arguments, about["metric"])
    contenders = {OURS: Vectordoc(program(arguments), folder, place, arguments)}
    contenders |= {name: Peer(name, folder, place, arguments) for name in names}
    results = compare(contenders, arguments)
    if arguments.json:
        print(json.dumps({"dataset": about, "contenders": results}))
        return

    raw_bytes = about["dim"] * 4
    rows = [(name, summary(results[name], results[BASELINE], raw_bytes)) for name in results]
    print(
        f"{about['name']}: {about['documents']:,} × {about['dim']}, {about['metric']}, one thread, "
        f"QPS at recall@{arguments.limit}, rounds {arguments.rounds}, (× to {BASELINE})\n"
    )
    print("\n".join(lines(rows)))
    print()
    for name, contender in contenders.items():
        print(f"{name} {contender.about}")
    missed = behind(dict(rows)[OURS])
    print(f"{OURS} is behind {BASELINE} in: {', '.join(missed) if missed else 'nothing'}")


main()

"""Measures the service beside other databases, in alternating rounds, and prints a table of ratios.

What a peer is asked, and the load generator, are the harness's own; this file adds the class for
vectordoc and the rounds."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ["CARGO_TARGET_DIR"]).resolve()
PLACE = TARGET / "servers"
PROTOCOLS = ["ws", "grpc", "http"]
CLIENTS = [8, 32]
# What each peer needs from the registry of Python packages.
PACKAGES = {"pgvector": ["psycopg[binary]"], "zvec": ["zvec"], "qdrant_edge": ["qdrant-edge-py"]}
MODULES = {"zvec": "zvec_peer"}
# The load generator sends its first request at once. The service speaks first, and its greeting must
# not pass for the first answer.
HANDSHAKE = 'while find(&r.b, b"\\r\\n\\r\\n").is_none() { r.fill().await?; }\n    }\n    let k'
GREETED = HANDSHAKE.replace(
    "    }\n    let k",
    """        let end = find(&r.b, b"\\r\\n\\r\\n").ok_or("no head")? + 4; r.b.drain(..end);
        while !r.b.windows(5).any(|w| w == b"hello") { r.fill().await?; }
    }
    let k""",
)


def arguments():
    parser = argparse.ArgumentParser(
        prog="bench/servers/run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: bench/servers/run harness --peers pgvector,zvec --rounds 5",
    )
    parser.add_argument("harness", type=Path, help="the folder of the harness (bench.py, peers/)")
    parser.add_argument("--documents", type=int, default=50_000, choices=[50_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument(
        "--peers",
        type=lambda names: [name for name in names.split(",") if name],
        default=[],
        help=f"of {', '.join(sorted(PACKAGES))}; pgvector must be installed",
    )
    parser.add_argument("--protocols", type=lambda names: names.split(","), default=PROTOCOLS)
    parser.add_argument("--keep", action="store_true", help="use the databases of the last run")
    parser.add_argument("--binary", type=Path, help="instead of a release build of this checkout")
    given = parser.parse_args()
    unknown = set(given.peers) - set(PACKAGES)
    if unknown:
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(sorted(PACKAGES))}")
    strange = set(given.protocols) - set(PROTOCOLS)
    if strange or not given.protocols:
        parser.error(f"no protocol {', '.join(sorted(strange))}; there are {', '.join(PROTOCOLS)}")
    if not (given.harness / "bench.py").is_file():
        parser.error(f"{given.harness} has no bench.py")
    return given


def set_up(given):
    """Copies the harness, builds what it runs, makes its data."""
    place = PLACE / "harness"
    shutil.copytree(given.harness, place, dirs_exist_ok=True)
    shutil.copy(HERE / "vectordoc.py", place / "peers" / "vectordoc.py")
    source = place / "loadgen" / "src" / "main.rs"
    text = source.read_text()
    if HANDSHAKE not in text:
        sys.exit(f"{source} has another handshake than this comparison knows")
    source.write_text(text.replace(HANDSHAKE, GREETED))
    needs = ["numpy", "cbor2", "httpx"] + [p for peer in given.peers for p in PACKAGES[peer]]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(pip + needs, check=True)
    manifest = place / "loadgen" / "Cargo.toml"
    cargo = ["cargo", "build", "--release", "--quiet"]
    subprocess.run(
        [*cargo, "--manifest-path", str(manifest), "--target-dir", str(PLACE / "loadgen")], check=True
    )
    if not given.binary:
        subprocess.run([*cargo, "-p", "vectordoc-server"], check=True, cwd=ROOT)
    os.environ["VECTORDOC_BIN"] = str(given.binary or TARGET / "release" / "vectordoc")
    os.environ["LOADGEN"] = str(PLACE / "loadgen" / "release" / "loadgen")
    os.environ["BENCH_RUN"] = str(PLACE / "run")
    os.environ["BENCH_HAVE_LOCK"] = "1"
    os.environ["BENCH_SECS"] = str(given.seconds)
    os.chdir(place)
    sys.path[:0] = [str(place)]
    if not (place / "data" / "titles.json").is_file():
        subprocess.run([sys.executable, "gen.py"], check=True)


class Contender:
    """A peer of the harness, or vectordoc by one protocol."""

    def __init__(self, name, documents):
        self.name, self.documents = name, documents
        self.module = "vectordoc" if name.startswith("vectordoc") else MODULES.get(name, name)
        self.environment = dict(os.environ)
        self.is_ours = self.module == "vectordoc"
        if self.is_ours:
            self.environment["VECTORDOC_PROTO"] = name.removeprefix("vectordoc_")

    def phases(self, *phases):
        """Runs phases of the harness; what they found."""
        command = [sys.executable, "bench.py", self.module, str(self.documents), *phases]
        subprocess.run(command, check=True, env=self.environment)
        found = json.loads(Path(f"results/{self.name}_{self.documents}.json").read_text())
        missing = [phase for phase in phases if phase != "prep" and phase not in found]
        if missing:
            sys.exit(f"{self.name}: {', '.join(missing)} failed")
        return found


def median_of(rounds, *keys):
    def read(found):
        for key in keys:
            found = found[key]
        return found

    return statistics.median(read(found) for found in rounds)


def ratio(mine, others, *keys):
    """The median over the rounds of one figure ÷ another's."""
    pairs = zip(mine, others)
    return statistics.median(median_of([a], *keys) / median_of([b], *keys) for a, b in pairs)


def compare(given):
    names = [f"vectordoc_{protocol}" for protocol in given.protocols] + given.peers
    contenders = [Contender(name, given.documents) for name in names]
    if not given.keep:
        shutil.rmtree("results", ignore_errors=True)
    ingests = {}
    for contender in contenders:
        # One database serves every protocol.
        if contender.is_ours and "vectordoc" in ingests:
            continue
        if not given.keep:
            ingests[contender.module] = contender.phases("prep", "ingest")["ingest"]
    rounds = {name: [] for name in names}
    for turn in range(given.rounds):
        for contender in contenders if turn % 2 == 0 else reversed(contenders):
            found = contender.phases("search")["search"]
            found["reading_s"] = seconds_to_read(contender)
            rounds[contender.name].append(found)
    return ingests, rounds


def seconds_to_read(contender):
    """How long reading the files of a contender takes when they are not in memory."""
    from common import evict  # only now is the harness on the path

    directory = PLACE / "run" / ("vectordoc" if contender.is_ours else contender.name)
    evict(str(directory))
    started = time.time()
    for path in directory.rglob("*"):
        if path.is_file():
            path.read_bytes()
    return time.time() - started


def print_tables(given, ingests, rounds):
    first = next(iter(rounds))
    raw = given.documents * 384 * 4 / 1e6
    print(f"\n{given.documents:,} × 384, recall@10 ≥ 0.95, medians of {given.rounds} alternating rounds;")
    print(f"in brackets {first} ÷ that row, the median of the ratios of each round\n")
    heads = [f"{clients} clients, QPS" for clients in CLIENTS] + ["p99 ms, 8 clients"]
    heads += ["first answer s, files not in memory, ÷ reading them", "RSS serving MB, ÷ raw"]
    print(f"| | ef | recall | {' | '.join(heads)} |\n|---|---|---|{'---|' * len(heads)}")
    for name, found in rounds.items():
        cells = [f"{median_of(found, 'ef'):.0f}", f"{median_of(found, 'recall'):.3f}"]
        for clients in CLIENTS:
            key = f"c{clients}"
            share = ratio(rounds[first], found, key, "qps")
            cells.append(f"{median_of(found, key, 'qps'):,.0f} ({share:.2f}×)")
        cells.append(f"{median_of(found, 'c8', 'p99_ms'):.2f}")
        first_answer = median_of(found, "start_to_answer_evicted_s")
        cells.append(f"{first_answer:.2f}, {first_answer / median_of(found, 'reading_s'):.1f}")
        resident = median_of(found, "mem_after_search_mb", "rss") * 1.048576
        cells.append(f"{resident:.0f}, {resident / raw:.2f}")
        print(f"| {name} | {' | '.join(cells)} |")
    if ingests:
        print("\n| | docs/s acknowledged | docs/s with the index ready | others' CPU |\n|---|---|---|---|")
        mine = ingests["vectordoc"]["docs_s_ready"]
        for name, found in ingests.items():
            share = mine / found["docs_s_ready"]
            ready = f"{found['docs_s_ready']:,} ({share:.2f}×)"
            print(f"| {name} | {found['docs_s_acked']:,} | {ready} | {found['others_cpu']:.2f} |")


def main():
    given = arguments()
    set_up(given)
    print_tables(given, *compare(given))


main()

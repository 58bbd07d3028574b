"""Full text beside other libraries: the same texts and questions, one thread, ten hits each.

vectordoc is measured by `cargo bench --bench text`, peers right after it. What Python spends on a
peer's call counts for the peer, as a program in Python would pay it."""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

import bm25s
import tantivy

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS = 5
ROUND_SECONDS = 0.5
QUESTIONS = 1_000
HITS = 10


def questions(rows):
    """As `core/benches/text.rs` chooses them."""
    chosen = rows[:: max(1, len(rows) // QUESTIONS)][:QUESTIONS]
    return {
        "lemma": [row["lemma"] for row in chosen],
        "three words": [" ".join(row["gloss"].split(" ")[:3]) for row in chosen],
        "whole gloss": [row["gloss"] for row in chosen],
    }


def rate(ask, asked):
    """Questions answered per second, the median over the rounds."""

    def one_round():
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < ROUND_SECONDS:
            ask(asked[count % len(asked)])
            count += 1
        return count / (time.perf_counter() - start)

    return statistics.median(one_round() for _ in range(ROUNDS))


def measure_tantivy(glosses, asked):
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("gloss", stored=False, index_option="freq")
    index = tantivy.Index(builder.build())
    start = time.perf_counter()
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    for gloss in glosses:
        writer.add_document(tantivy.Document(gloss=gloss))
    writer.commit()
    writer.wait_merging_threads()
    seconds = time.perf_counter() - start
    index.reload()
    searcher = index.searcher()

    def ask(question):
        words = " ".join(re.findall(r"\w+", question.lower()))
        query = index.parse_query(words, ["gloss"])
        searcher.search(query, HITS, count=False)

    return {"ingest": len(glosses) / seconds} | {n: rate(ask, q) for n, q in asked.items()}


def measure_bm25s(glosses, asked):
    start = time.perf_counter()
    tokens = bm25s.tokenize(glosses, stopwords=None, show_progress=False)
    retriever = bm25s.BM25(k1=1.2, b=0.75)
    retriever.index(tokens, show_progress=False)
    seconds = time.perf_counter() - start

    def ask(question):
        query = bm25s.tokenize([question], stopwords=None, show_progress=False, return_ids=False)
        retriever.retrieve(query, k=HITS, show_progress=False)

    return {"ingest": len(glosses) / seconds} | {n: rate(ask, q) for n, q in asked.items()}


def measure_vectordoc(file):
    command = ["cargo", "bench", "--quiet", "-p", "vectordoc", "--bench", "text", "--"]
    printed = subprocess.run(command + [file, "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    figures = json.loads(printed.stdout)
    kinds = ["lemma", "three words", "whole gloss"]
    measured = {kind: figures[f"{kind}, searches per second"] for kind in kinds}
    return {"ingest": figures["ingest per second, gloss indexed"]} | measured


def main():
    file = sys.argv[1]
    rows = [json.loads(line) for line in pathlib.Path(file).read_text().splitlines()]
    glosses, asked = [row["gloss"] for row in rows], questions(rows)
    own = measure_vectordoc(file)
    print("| library |", " | ".join(own), "|")
    print("|---|" + "---|" * len(own))
    contenders = {"**vectordoc**": own}
    contenders[f"tantivy {version('tantivy')}"] = measure_tantivy(glosses, asked)
    contenders[f"bm25s {version('bm25s')}"] = measure_bm25s(glosses, asked)
    for name, measured in contenders.items():
        cells = (f"{rate:,.0f} ({own[what] / rate:.2f}×)" for what, rate in measured.items())
        print(f"| {name} |", " | ".join(cells), "|")


main()

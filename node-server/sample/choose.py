#!/usr/bin/env python3
"""Chooses the documents of `vectordoc demo` from a data set folder; README.md says what and why.

    python3 choose.py DATASET_DIR      writes vectors.npy, documents.jsonl, queries.npy, queries.jsonl

Needs nothing but Python. The same folder gives the same bytes.
"""

import ast
import json
import pathlib
import random
import struct
import sys

DOCUMENTS = 3_000
NEIGHBOURS_PER_QUERY = 50
SEED = 7700
HERE = pathlib.Path(__file__).parent

# Row of the query in queries.npy, and the filter the tour asks it with.
QUERIES = [
    (157, None),
    (60, None),
    (771, {"lexname": "noun.person"}),
    (14, {"pos": "v"}),
    (306, {"lexname": "noun.person"}),
    (724, {"lexname": {"$in": ["noun.food", "noun.act"]}}),
    (343, {"$and": [{"pos": "n"}, {"gloss_len": {"$lt": 40}}]}),
    (105, {"$not": {"lexname": "noun.animal"}}),
]


class Table:
    """A two-dimensional .npy file, read row by row."""

    def __init__(self, path):
        self.file = open(path, "rb")
        assert self.file.read(6) == b"\x93NUMPY", path
        major, _ = self.file.read(2)
        form, size = ("<H", 2) if major == 1 else ("<I", 4)
        (header_bytes,) = struct.unpack(form, self.file.read(size))
        header = ast.literal_eval(self.file.read(header_bytes).decode())
        self.type, (self.rows, self.columns) = header["descr"], header["shape"]
        self.start = self.file.tell()
        self.row_bytes = self.columns * int(self.type[2:])

    def row(self, number):
        self.file.seek(self.start + number * self.row_bytes)
        return self.file.read(self.row_bytes)


def write_table(path, kind, columns, rows):
    header = repr({"descr": kind, "fortran_order": False, "shape": (len(rows), columns)})
    padding = -(10 + len(header) + 1) % 64
    header = (header + " " * padding + "\n").encode()
    preamble = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    path.write_bytes(preamble + header + b"".join(rows))


def write_lines(path, objects):
    lines = (json.dumps(o, ensure_ascii=False, separators=(",", ":")) for o in objects)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def chosen_rows(truth, documents):
    """The nearest rows of every query, filled up by a draw from all rows, in order."""
    rows = set()
    for query, _ in QUERIES:
        near = struct.unpack(f"<{truth.columns}i", truth.row(query))
        rows.update(near[:NEIGHBOURS_PER_QUERY])
    others = sorted(set(range(documents)) - rows)
    rows.update(random.Random(SEED).sample(others, DOCUMENTS - len(rows)))
    return sorted(rows)


def main(folder):
    base, queries = Table(folder / "base.npy"), Table(folder / "queries.npy")
    meta = read_lines(folder / "base_meta.jsonl")
    asked = read_lines(folder / "queries_meta.jsonl")
    rows = chosen_rows(Table(folder / "gt_ids.npy"), base.rows)

    write_table(HERE / "vectors.npy", base.type, base.columns, [base.row(row) for row in rows])
    write_lines(HERE / "documents.jsonl", [meta[row] for row in rows])
    vectors = [queries.row(query) for query, _ in QUERIES]
    write_table(HERE / "queries.npy", queries.type, queries.columns, vectors)
    write_lines(
        HERE / "queries.jsonl",
        [
            {"lemma": asked[query]["lemma"], "gloss": asked[query]["gloss"], "filter": test or {}}
            for query, test in QUERIES
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))

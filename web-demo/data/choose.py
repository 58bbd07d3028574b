#!/usr/bin/env python3
"""Makes the files of this folder from the data set folder wordnet50k; README.md says what they are.

    pip install numpy umap-learn
    python3 choose.py DATASET_DIR       writes documents.jsonl, vectors.npy and layout.npy

The same folder gives the same documents and vectors; a layout comes out somewhat different each time.
"""

import json
import pathlib
import random
import sys

import numpy

DOCUMENTS = 7_000
SEED = 7700
HERE = pathlib.Path(__file__).parent
SAMPLE = HERE / "../../node-server/sample/documents.jsonl"
FIELDS = ["id", "pos", "lexname", "lemma", "gloss"]


def rows():
    """Rows at random that are not those of the sample."""
    sample = {json.loads(line)["id"] for line in SAMPLE.open()}
    others = sorted(set(range(50_000)) - sample)
    return sorted(random.Random(SEED).sample(others, DOCUMENTS))


def codes(vectors):
    """Each vector as bytes as large as they can be: under cosine only the direction counts."""
    largest = numpy.abs(vectors).max(axis=1, keepdims=True)
    return numpy.rint(vectors / largest * 127).astype(numpy.int8)


def layout(vectors):
    """Every document's place on the map, as shares of 65,535: near where vectors are near."""
    import umap

    reducer = umap.UMAP(n_neighbors=20, min_dist=0.25, metric="cosine", low_memory=True)
    return shares(reducer.fit_transform(vectors))


def shares(places):
    """Places as shares of the square around nearly all of them; the rest is moved to its edge."""
    least, most = numpy.percentile(places, [0.1, 99.9], axis=0)
    middle, extent = (least + most) / 2, (most - least).max()
    return (numpy.clip((places - middle) / extent + 0.5, 0, 1) * 65535).astype(numpy.uint16)


def main(folder):
    vectors = numpy.load(folder / "base.npy").astype(numpy.float32)
    documents = (folder / "base_meta.jsonl").read_text().splitlines()
    chosen = rows()
    with (HERE / "documents.jsonl").open("w") as out:
        for row in chosen:
            document = {"id": row, **json.loads(documents[row])}
            out.write(json.dumps({name: document[name] for name in FIELDS}, ensure_ascii=False, separators=(",", ":")) + "\n")
    numpy.save(HERE / "vectors.npy", codes(vectors[chosen]))
    numpy.save(HERE / "layout.npy", layout(vectors))


main(pathlib.Path(sys.argv[1]))

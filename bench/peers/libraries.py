"""The libraries that are compared, one class each: how it is built, opened and asked.

All of them get float32 rows; where the metric is cosine these are normalised, so that the inner
product, which spares normalising every query, finds the same. Space names: "ip" and "l2".
"""

import numpy


class Hnswlib:
    package = "hnswlib==0.8.0"
    about = "HNSW, f32, M 16, ef_construction 200"

    def __init__(self, space, dim):
        import hnswlib

        self.index = hnswlib.Index(space, dim)

    def build(self, rows):
        self.index.init_index(len(rows), ef_construction=200, M=16, random_seed=7)
        self.index.add_items(rows, numpy.arange(len(rows)), num_threads=1)

    def save(self, path):
        self.index.save_index(path)

    def open(self, path):
        self.index.load_index(path)

    def search(self, queries, limit, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, limit, num_threads=1)[0]


class Faiss:
    package = "faiss-cpu==1.15.1"
    about = "HNSW, f32, M 16, efConstruction 200"

    def __init__(self, space, dim):
        import faiss

        faiss.omp_set_num_threads(1)
        self.faiss = faiss
        self.metric = faiss.METRIC_INNER_PRODUCT if space == "ip" else faiss.METRIC_L2
        self.dim = dim

    def build(self, rows):
        self.index = self.faiss.IndexHNSWFlat(self.dim, 16, self.metric)
        self.index.hnsw.efConstruction = 200
        self.index.add(rows)

    def save(self, path):
        self.faiss.write_index(self.index, path)

    def open(self, path):
        self.index = self.faiss.read_index(path)

    def search(self, queries, limit, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, limit)[1]


class Usearch:
    package = "usearch==2.26.6"
    about = "HNSW, f32, connectivity 16, expansion_add 200"
    dtype = "f32"

    def __init__(self, space, dim):
        from usearch.index import Index

        # Its 8-bit numbers are for cosine alone.
        metric = {"ip": "cos" if self.dtype == "i8" else "ip", "l2": "l2sq"}[space]
        self.index = Index(
            ndim=dim, metric=metric, dtype=self.dtype, connectivity=16, expansion_add=200
        )

    def build(self, rows):
        self.index.add(numpy.arange(len(rows)), rows, threads=1)

    def save(self, path):
        self.index.save(path)

    def open(self, path):
        self.index.load(path)

    def search(self, queries, limit, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, limit, threads=1).keys


class UsearchI8(Usearch):
    about = "HNSW, i8, connectivity 16, expansion_add 200"
    dtype = "i8"
    metrics = ("cosine",)


class SymphonyQg:
    package = "rabitqlib==0.7.1"
    about = "RaBitQ codes beside the links, degree 32, ef 200 (AVX-512)"
    # Of normalised rows; inner products of others would need another order.
    metrics = ("cosine", "l2")

    def __init__(self, space, dim):
        import rabitqlib

        self.rabitqlib = rabitqlib
        self.dim = dim

    def build(self, rows):
        self.index = self.rabitqlib.SymqgIndex(self.dim, 32, "l2")
        self.index.build(rows, 200, num_threads=1)

    def save(self, path):
        self.index.save(path)

    def open(self, path):
        self.index = self.rabitqlib.SymqgIndex.load(path)

    def search(self, queries, limit, ef):
        return self.index.search(queries, limit, ef, 1)[0]


LIBRARIES = {
    "hnswlib": Hnswlib,
    "faiss": Faiss,
    "usearch": Usearch,
    "usearch-i8": UsearchI8,
    "symqg": SymphonyQg,
}

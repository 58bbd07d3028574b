"""A data set folder, as `vectordoc bench --help` describes it, for libraries that hold vectors."""

import json
import pathlib

import numpy

# A hit this much farther than the last true one is as good: distances are float32.
TIE_DISTANCE = 1e-6
# How far a distance of the data set and ours may be apart when both mean the same.
SAME_DISTANCE = 1e-3


class Dataset:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        about = json.loads((self.folder / "dataset.json").read_text())
        self.metric, self.dim, self.documents = about["metric"], about["dim"], about["documents"]
        self.space = "l2" if self.metric == "l2" else "ip"

    def base(self):
        return self._prepare(numpy.load(self.folder / "base.npy"))

    def queries(self):
        return self._prepare(numpy.load(self.folder / "queries.npy"))

    def recall(self, queries, ids, limit):
        """The mean part of the true first `limit` that `ids` have; ties count, as in `vectordoc bench`."""
        truth = numpy.load(self.folder / "gt_ids.npy")[:, :limit]
        found = numpy.asarray(ids)[:, :limit].astype(numpy.int64)
        good = (found[:, :, None] == truth[:, None, :]).any(axis=2)
        distances = self.folder / "gt_dist.npy"
        if distances.is_file():
            told = numpy.load(distances)[:, :limit]
            good |= self._ties(queries, found, truth, told, good)
        return float(good.sum() / truth.size)

    def _ties(self, queries, found, truth, told, good):
        """Hits as near as the last true one, for queries whose distances the folder tells as we do."""
        rows = numpy.load(self.folder / "base.npy", mmap_mode="r")
        ties = numpy.zeros_like(good)
        for query, ids in enumerate(found):
            if good[query].all() or (ids < 0).any() or (ids >= self.documents).any():
                continue
            ours = self._distances(queries[query], self._prepare(rows[ids]))
            place = {int(row): rank for rank, row in enumerate(truth[query])}
            same = [
                abs(told[query, place[int(row)]] - distance)
                <= SAME_DISTANCE * (1 + abs(told[query, place[int(row)]]))
                for row, distance in zip(ids, ours)
                if int(row) in place
            ]
            if same and all(same):
                ties[query] = ours <= told[query, -1] + TIE_DISTANCE
        return ties

    def _distances(self, query, rows):
        if self.metric == "l2":
            return ((rows - query) ** 2).sum(axis=1)
        dots = rows.astype(numpy.float64) @ query.astype(numpy.float64)
        return 1 - dots if self.metric == "cosine" else -dots

    def _prepare(self, rows):
        rows = numpy.ascontiguousarray(rows, dtype=numpy.float32)
        if self.metric != "cosine":
            return rows
        lengths = numpy.linalg.norm(rows, axis=1, keepdims=True)
        return rows / numpy.where(lengths > 0, lengths, 1)

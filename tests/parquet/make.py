"""Makes the Parquet files beside it, with a writer that is not ours: `pip install pyarrow`, run once."""

import datetime
import decimal
import pathlib
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
ROWS = 60
DIM = 8


def vector(row):
    """Numbers that float16 holds exactly; the nearest of row n are those of n - 1 and n + 1."""
    return [1.0, row / 64] + [0.0] * (DIM - 2)


def table(vectors):
    utc = datetime.timezone.utc
    start = datetime.datetime(2024, 1, 1, tzinfo=utc)
    rows = range(ROWS)
    columns = {
        "id": pa.array([f"p{row}" for row in rows]),
        "embedding": pa.array([vector(row) for row in rows], vectors),
        "n": pa.array(rows, pa.int16()),
        "big": pa.array([2**64 - 1 - row for row in rows], pa.uint64()),
        "price": pa.array([row / 3 for row in rows], pa.float64()),
        "weight": pa.array([row / 3 for row in rows], pa.float32()),
        "even": pa.array([row % 2 == 0 for row in rows]),
        "colour": pa.array([["red", "green", "blue"][row % 3] for row in rows]).dictionary_encode(),
        "note": pa.array([None if row % 7 == 0 else f"note {row} " + "x" * 100 for row in rows]),
        "tags": pa.array([[f"t{row % 4}", "all"][: row % 3] for row in rows]),
        "sizes": pa.array([[row, row + 1] if row % 2 else [] for row in rows], pa.list_(pa.int32())),
        "raw": pa.array([bytes([row, 255]) for row in rows], pa.binary()),
        "seen": pa.array([start + datetime.timedelta(minutes=row) for row in rows],
                         pa.timestamp("ns", "UTC")),
        "day": pa.array([datetime.date(2024, 1, 1 + row % 28) for row in rows]),
        "cost": pa.array([decimal.Decimal(row) / 4 for row in rows], pa.decimal128(9, 2)),
        "maker": pa.array([{"name": f"m{row % 5}", "since": 1990 + row % 5} for row in rows]),
        "extra": pa.array([[("k", row)] for row in rows], pa.map_(pa.string(), pa.int64())),
        "nothing": pa.array([None for row in rows], pa.int32()),
    }
    return pa.table(columns)


def write(name, content, **options):
    pq.write_table(content, HERE / f"{name}.parquet", row_group_size=25, **options)


# Every codec that is common, every way to write vectors, both versions of pages.
write("snappy", table(pa.list_(pa.float32())), compression="snappy")
write("zstd", table(pa.list_(pa.float32(), DIM)), compression="zstd")
write("gzip", table(pa.list_(pa.float64())), compression="gzip", data_page_version="2.0")
write("lz4", table(pa.large_list(pa.float16())), compression="lz4")
write("none", table(pa.list_(pa.float32())), compression="none", use_dictionary=False,
      use_deprecated_int96_timestamps=True)

ids = pa.array([uuid.UUID(int=row).bytes for row in range(3)], pa.binary(16))
uuids = pa.ExtensionArray.from_storage(pa.uuid(), ids)
write("uuid", pa.table({"id": uuids, "vector": [vector(row) for row in range(3)]}))
write("empty", table(pa.list_(pa.float32())).slice(0, 0))


def bad(name, change):
    """A file whose row 30 is wrong."""
    vectors = [vector(row) for row in range(ROWS)]
    vectors[30] = change(vectors[30])
    write(name, pa.table({"id": list(range(ROWS)), "embedding": pa.array(vectors, pa.list_(pa.float32()))}))


bad("nan", lambda vector: [float("nan")] + vector[1:])
bad("ragged", lambda vector: vector[1:])
bad("hole", lambda vector: [None] + vector[1:])

"""The table: rates at given recalls, building and memory, each with its ratio to the baseline."""

import math
import statistics

RECALLS = (0.90, 0.95, 0.99, 0.999)


def qps_at(search, recall):
    """The best rate at `recall` or more: of a point itself, or between two points, where the
    logarithm of the rate is taken as linear in recall. None when no point reaches it."""
    points = sorted((point["recall"], point["qps"]) for point in search)
    rates = [qps for reached, qps in points if reached >= recall]
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low < recall <= high:
            part = (recall - low) / (high - low)
            rates.append(math.exp(math.log(fast) * (1 - part) + math.log(slow) * part))
    return max(rates, default=None)


def summary(contender, baseline, raw_bytes):
    """The cells of a contender: pairs of a figure and its ratio to the baseline's, by heading.
    A ratio is the median of those of each round, so that what the machine did meets both."""
    cells = {}
    for recall in RECALLS:
        ours = [qps_at(round["search"], recall) for round in contender["rounds"]]
        theirs = [qps_at(round["search"], recall) for round in baseline["rounds"]]
        cells[str(recall).ljust(4, "0")] = median(ours), median(map(divide, ours, theirs))
    cpu = [build["cpu_seconds"] for build in contender["builds"]]
    cpu_baseline = [build["cpu_seconds"] for build in baseline["builds"]]
    cells["build CPU s"] = median(cpu), median(map(divide, cpu, cpu_baseline))
    memory = resident(contender, raw_bytes)
    cells["resident ÷ raw f32"] = memory, divide(memory, resident(baseline, raw_bytes))
    return cells


def resident(contender, raw_bytes):
    """Bytes of memory per document ÷ those of its vector."""
    return divide(median(round["bytes_per_document"] for round in contender["rounds"]), raw_bytes)


def behind(cells):
    """Headings where a contender does worse than the baseline."""
    worse = lambda name, ratio: ratio < 1 if name.startswith("0.") else ratio > 1
    return [name for name, (_, ratio) in cells.items() if ratio is not None and worse(name, ratio)]


def lines(rows):
    """A Markdown table of (name, cells)."""
    headings = ["library", *rows[0][1]]
    table = [headings] + [[name, *map(text, cells.values())] for name, cells in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in table]
    padded.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(row) + " |" for row in padded]


def text(cell):
    value, ratio = cell
    if value is None:
        return "–"
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return digits if ratio is None else f"{digits} ({ratio:.2f}×)"


def divide(value, of):
    return None if value is None or not of else value / of


def median(values):
    """None when a round has no value."""
    values = list(values)
    return None if not values or None in values else statistics.median(values)

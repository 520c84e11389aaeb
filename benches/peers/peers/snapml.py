"""IBM's Graph Feature Preprocessor: fan features of payer and payee over seven days, for edges in reading order, batch after batch.

It takes a table of floats, so it is not asked for money; its answers are histograms of fans, which nothing here is compared with. Accounts become
numbers and times seconds first, which is part of the work; `transform_seconds` tells what its own calls take of it.
"""

import time

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.json
from snapml import GraphFeaturePreprocessor

from peers.window import DAYS, TEXTS, Work, arguments

SECONDS = DAYS * 24 * 60 * 60
# The head counts that FZ-001 asks for.
BINS = [15, 25, 40]


def edges(file):
    """Rows of number, payer, payee and second."""
    schema = pyarrow.schema([(name, pyarrow.string()) for name in TEXTS])
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    table = pyarrow.json.read_json(file, parse_options=options)
    sides = pyarrow.chunked_array(table["payer_account"].chunks + table["payee_account"].chunks)
    accounts = sides.combine_chunks().dictionary_encode().indices.to_numpy()
    local = pyarrow.compute.utf8_slice_codeunits(table["occurred_at"], 0, 19).cast(pyarrow.timestamp("s"))
    rows = len(table)
    return numpy.column_stack([numpy.arange(rows), accounts[:rows], accounts[rows:], local.cast(pyarrow.int64()).to_numpy()]).astype("float64")


def main():
    args = arguments(batch=128)
    work = Work()
    rows = edges(args.file)
    graph = GraphFeaturePreprocessor()
    held = {"num_threads": args.threads, "time_window": SECONDS, "vertex_stats": False, "fan": True, "fan_tw": SECONDS, "fan_bins": BINS}
    graph.set_params(graph.get_params() | held)
    began = time.monotonic()
    for first in range(0, len(rows), args.batch):
        graph.transform(numpy.ascontiguousarray(rows[first : first + args.batch]))
    work.done(transform_seconds=round(time.monotonic() - began, 3))


if __name__ == "__main__":
    main()

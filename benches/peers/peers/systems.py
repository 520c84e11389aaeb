"""What is run: which systems, with which packages, in which forms, and what each form does in the words of the table."""

from dataclasses import dataclass, field

# Pinned, so that a table can be made again.
PACKAGES = {
    "duckdb": ["duckdb==2.0.1"],
    "datafusion": ["datafusion==55.0.0"],
    "flink": ["apache-flink==2.3.0"],
    "snapml": ["snapml==1.17.2", "pyarrow==26.0.1"],
}
TITLES = {"weir": "weir", "duckdb": "DuckDB", "datafusion": "DataFusion", "flink": "Flink SQL", "snapml": "IBM Graph Feature Preprocessor"}
# Flink with nothing written: what the others are compared with.
MEASURE_OF_ALL = "flink-2"
# The answers that the others are held against.
REFERENCE = "duckdb-distinct-1"


@dataclass
class Form:
    """One row of the table."""

    system: str
    name: str
    does: str
    threads: int
    options: list = field(default_factory=list)
    # What it leaves for the check: a name below the output folder.
    leaves: str = ""
    # weir: its rule directory (peers.rules).
    rules: str = ""


def forms():
    two = (1, 2)
    return [
        *(Form("weir", f"weir-asked-{n}", "count, sum, distinct at every instant of payer and payee, no hit", n, rules="asked") for n in two),
        *(Form("weir", f"weir-two-{n}", "FZ-001 and FZ-002, large amounts", n, rules="two") for n in two),
        *(Form("weir", f"weir-all-{n}", "the whole pack, large amounts", n, rules="all") for n in two),
        *(
            form
            for system in ("duckdb", "datafusion")
            for n in two
            for form in (
                Form(system, f"{system}-{n}", "count, sum; a batch", n, leaves=f"{system}-{n}.parquet"),
                Form(system, f"{system}-distinct-{n}", "count, sum, distinct; a batch", n, ["--distinct"], f"{system}-distinct-{n}.parquet"),
            )
        ),
        Form("flink", MEASURE_OF_ALL, "count, sum, distinct; nothing written", 2),
        Form("flink", "flink-csv-2", "count, sum, distinct; CSV written", 2, leaves="flink-csv-2"),
        *(Form("snapml", f"snapml-{n}", "fan only, no money; batches of 128", n) for n in two),
        *(Form("snapml", f"snapml-large-{n}", "fan only, no money; batches of 4,096", n, ["--batch", "4096"]) for n in two),
        Form("weir", "weir-check-2", "a hit and its evidence at every instant, for the check", 2, leaves="weir-check.jsonl", rules="check"),
    ]

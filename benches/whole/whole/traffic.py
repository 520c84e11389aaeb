"""Files of traffic, made once: JSON lines by the binary `traffic`, other forms of them by DuckDB."""

from dataclasses import dataclass

import duckdb
from peers import setting

OTHERS = {"csv": "(FORMAT csv, HEADER)", "parquet": "(FORMAT parquet, COMPRESSION zstd)"}


@dataclass(frozen=True)
class Traffic:
    transfers: int
    parties: int = 100_000
    days: int = 90
    # Thousandths.
    skew: int = 800
    # One transfer in so many goes to one account; 0: none.
    hot: int = 0

    def file(self, out, form):
        name = f"transfers-{self.transfers}-{self.parties}-{self.days}-{self.skew}-{self.hot}.jsonl"
        lines = setting.traffic(out / name, (self.transfers, self.parties, self.days, 1, self.skew, self.hot))
        file = lines.with_suffix(f".{form}")
        if not file.exists():
            part = file.with_suffix(".part")
            con = duckdb.connect()
            # Everything stays the text it is, in the order it is.
            con.execute("SET preserve_insertion_order = true")
            con.execute(f"COPY (SELECT * FROM read_json('{lines}', columns = {columns(lines)})) TO '{part}' {OTHERS[form]}")
            part.rename(file)
        return file


def columns(lines):
    con = duckdb.connect()
    names = [name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM read_json('{lines}', sample_size = 10)").fetchall()]
    return "{" + ", ".join(f"{name}: 'VARCHAR'" for name in names) + "}"

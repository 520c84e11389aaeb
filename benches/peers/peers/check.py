"""Whether all systems say the same; runs in DuckDB's environment, after everything is timed.

1. Rows: what DuckDB, DataFusion and Flink wrote, as sets of (serial, count, sum, distinct), against DuckDB's own with distinct.
2. weir: every alert of the rule that hits wherever an account's window holds a transfer, against what DuckDB computes at each account's instants
   (in and out) and at which of them it finds an episode to end: the sets of (account, last hit, count, sum, distinct) must be equal.

Prints one JSON object: `compared`, a line each, and `differences`, with the first rows that one side has and the other has not.
"""

import argparse
import json
from pathlib import Path

import duckdb

from peers.duckdb import WINDOW, transfers
from peers.systems import REFERENCE
from peers.window import DAYS

SHOWN = 5
# A measured value is told by the condition it stands in.
MEASURED = "list_filter(conditions, lambda condition: starts_with(condition.text, '{}('))[1].measured"


def difference(connection, one, other, columns):
    """The first rows that only one of two tables has; as bags, for a row twice is a difference too."""
    found = []
    for left, right, mark in ((one, other, "-"), (other, one, "+")):
        query = f"SELECT {columns} FROM {left} EXCEPT ALL SELECT {columns} FROM {right} ORDER BY ALL LIMIT {SHOWN}"
        found += [f"{mark} {' '.join(map(str, row))}" for row in connection.execute(query).fetchall()]
    return found


def compare(connection, one, other, columns, what, report):
    count = connection.execute(f"SELECT count(*) FROM {one}").fetchone()[0]
    found = difference(connection, one, other, columns)
    if found:
        report["differences"].append({"what": what.format(count), "rows": found})
    else:
        report["compared"].append(what.format(f"{count:,}") + ": equal")


def rows(connection, folder, files, report):
    """Every row of every system against the reference."""
    for name in files:
        path, distinct = folder / name, name.startswith(("duckdb-distinct", "datafusion-distinct", "flink"))
        columns = "txn_id, transfers, total" + (", payers" if distinct else "")
        if path.suffix == ".parquet":
            source = f"read_parquet('{path}')"
        else:
            types = "{txn_id: 'VARCHAR', transfers: 'BIGINT', total: 'DECIMAL(38, 2)', payers: 'BIGINT'}"
            # Flink's parts; a leading dot would mean unfinished ones.
            source = f"read_csv('{path}/part-*', header = false, columns = {types})"
        connection.execute(f"CREATE OR REPLACE VIEW answer AS SELECT * FROM {source}")
        compare(connection, "reference", "answer", columns, f"{name}: {{}} rows of {columns} with {REFERENCE}", report)


def alerts(connection, file, path, report):
    """Every alert against the end of an episode that SQL finds."""
    connection.execute(f"CREATE TABLE moved AS SELECT payer_account, payee_account, amount, instant FROM {transfers(file)}")
    seven = f"PARTITION BY party ORDER BY instant {WINDOW}"
    connection.execute(f"""
        CREATE TABLE ended AS
        WITH legs AS (
            SELECT 'a:' || payee_account AS party, instant, 1 AS one, amount, payer_account AS payer FROM moved
            UNION ALL SELECT 'a:' || payer_account, instant, 0, 0, NULL FROM moved
        ), asked AS (
            SELECT party, instant, CAST(sum(one) OVER seven AS BIGINT) AS transfers, sum(amount) OVER seven AS total,
                count(DISTINCT payer) OVER seven AS payers
            FROM legs WINDOW seven AS ({seven})
        ), hits AS (
            SELECT DISTINCT * FROM asked WHERE transfers > 0
        ), followed AS (
            SELECT *, lead(instant) OVER (PARTITION BY party ORDER BY instant) AS following FROM hits
        )
        SELECT party, instant, transfers, total, payers FROM followed WHERE following IS NULL OR following > instant + INTERVAL '{DAYS} days'
    """)
    values = ", ".join(
        f"CAST(replace({MEASURED.format(feature)}, ',', '') AS {kind}) AS {name}"
        for feature, kind, name in (("in_count", "BIGINT", "transfers"), ("amount_in", "DECIMAL(38, 2)", "total"), ("payers", "BIGINT", "payers"))
    )
    types = "{subject: 'STRUCT(party VARCHAR)', last_hit_at: 'VARCHAR', conditions: 'STRUCT(\"text\" VARCHAR, measured VARCHAR)[]'}"
    connection.execute(f"""
        CREATE TABLE alerts AS SELECT subject.party AS party, CAST(last_hit_at[1:19] AS TIMESTAMP) AS instant, {values}
        FROM read_json('{path}', format = 'newline_delimited', columns = {types})
    """)
    accounts = connection.execute("SELECT count(DISTINCT party) FROM alerts").fetchone()[0]
    payees = connection.execute("SELECT count(DISTINCT payee_account) FROM moved").fetchone()[0]
    what = f"weir: the last hits of {{}} episodes of {accounts:,} accounts ({payees:,} were paid) with DuckDB"
    compare(connection, "ended", "alerts", "party, instant, transfers, total, payers", what, report)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("left", nargs="+", help="what the systems left there")
    args = parser.parse_args()
    connection, report = duckdb.connect(), {"compared": [], "differences": []}
    connection.execute(f"SET memory_limit = '3GB'; SET temp_directory = '{args.folder / 'check.tmp'}'")
    reference = f"{REFERENCE}.parquet"
    connection.execute(f"CREATE VIEW reference AS SELECT * FROM read_parquet('{args.folder / reference}')")
    rows(connection, args.folder, [name for name in args.left if name not in (reference, "weir-check.jsonl")], report)
    if "weir-check.jsonl" in args.left:
        alerts(connection, args.file, args.folder / "weir-check.jsonl", report)
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()

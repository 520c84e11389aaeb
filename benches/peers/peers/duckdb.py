"""DuckDB: the window as one SQL query over the JSON file, its rows written to Parquet."""

import duckdb

from peers.window import DAYS, RANGE, TEXTS, Work, arguments, results

# The parser takes no sum of days and milliseconds other than as text.
WINDOW = RANGE.format(f"'{DAYS - 1} days 23:59:59.999'")


def transfers(file):
    """The file as a table expression: exact money, local times."""
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in TEXTS)
    read = f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}, amount: 'DECIMAL(18, 2)'}})"
    return f"(SELECT *, CAST(occurred_at[1:19] AS TIMESTAMP) AS instant FROM {read})"


def main():
    args = arguments(distinct=False)
    work = Work()
    connection = duckdb.connect()
    connection.execute(f"SET threads = {args.threads}")
    query = f"SELECT {results(args.distinct)} FROM {transfers(args.file)} WINDOW per_payee AS (PARTITION BY payee_account ORDER BY instant {WINDOW})"
    connection.execute(f"COPY ({query}) TO '{args.to}' (FORMAT parquet)")
    work.done()


if __name__ == "__main__":
    main()

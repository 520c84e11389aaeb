"""DataFusion: the window as one SQL query over the JSON file, its rows written to Parquet."""

import pyarrow
from datafusion import SessionConfig, SessionContext

from peers.window import DAYS, RANGE, TEXTS, Work, arguments, results

WINDOW = RANGE.format(f"'{DAYS - 1} days 23 hours 59 minutes 59.999 seconds'")


def main():
    args = arguments(distinct=False)
    work = Work()
    context = SessionContext(SessionConfig().with_target_partitions(args.threads))
    # The amount as text: its JSON reader would otherwise be free to go through a float.
    schema = pyarrow.schema([(name, pyarrow.string()) for name in (*TEXTS, "amount")])
    context.register_json("lines", str(args.file), schema=schema, file_extension=args.file.suffix)
    columns = "txn_id, payer_account, payee_account, CAST(amount AS DECIMAL(18, 2)) AS amount"
    lines = f"(SELECT {columns}, CAST(substr(occurred_at, 1, 19) AS TIMESTAMP) AS instant FROM lines)"
    query = f"SELECT {results(args.distinct)} FROM {lines} WINDOW per_payee AS (PARTITION BY payee_account ORDER BY instant {WINDOW})"
    context.sql(query).write_parquet(str(args.to))
    work.done()


if __name__ == "__main__":
    main()

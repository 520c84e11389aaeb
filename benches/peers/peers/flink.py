"""Flink: the window as streaming SQL in event time, in a cluster inside this process's Java machine; rows go to CSV, or nowhere.

A row that comes behind the watermark is dropped by Flink without a word. The watermark therefore trails by the whole disorder of the file (two
hours) and a little; the check then counts the rows.
"""

import os

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from peers.window import DAYS, RANGE, TEXTS, Work, arguments, results

WINDOW = RANGE.format(f"'{DAYS - 1} 23:59:59.999' DAY TO SECOND(3)")
WATERMARK = "INTERVAL '3' HOUR"


def main():
    args = arguments(heap="3g")
    # Without a bound Java takes a quarter of the machine.
    os.environ["JVM_ARGS"] = f"-Xmx{args.heap}"
    work = Work()
    configuration = Configuration()
    configuration.set_string("parallelism.default", str(args.threads))
    # Rows are not kept by any operator here, so they need not be copied between them.
    configuration.set_string("pipeline.object-reuse", "true")
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    tables = TableEnvironment.create(settings)
    columns = ", ".join(f"{name} STRING" for name in TEXTS)
    tables.execute_sql(
        f"CREATE TABLE transfers ({columns}, amount DECIMAL(18, 2),"
        " instant AS CAST(REPLACE(SUBSTRING(occurred_at FROM 1 FOR 19), 'T', ' ') AS TIMESTAMP(3)),"
        f" WATERMARK FOR instant AS instant - {WATERMARK})"
        f" WITH ('connector' = 'filesystem', 'path' = '{args.file.resolve()}', 'format' = 'json')"
    )
    sink = f"'connector' = 'filesystem', 'path' = '{args.to.resolve()}', 'format' = 'csv'" if args.to else "'connector' = 'blackhole'"
    tables.execute_sql(f"CREATE TABLE answers (txn_id STRING, transfers BIGINT, total DECIMAL(38, 2), payers BIGINT) WITH ({sink})")
    query = f"SELECT {results(True)} FROM transfers WINDOW per_payee AS (PARTITION BY payee_account ORDER BY instant {WINDOW})"
    ready = work.began
    work = Work()
    tables.execute_sql(f"INSERT INTO answers {query}").wait()
    work.done(ready_seconds=round(work.began - ready, 3))


if __name__ == "__main__":
    main()

"""The question that every system is asked, in one place so that none is asked another.

For each transfer: how many transfers, how much money and how many different payers its payee had in the seven days up to its moment. weir's window
is half-open, (t - 7 d, t]; a RANGE of SQL has both ends. Times in the file are whole seconds, so a RANGE a millisecond shorter covers the same.
Several transfers of one moment see each other, in SQL as in weir. Money is DECIMAL(18, 2), never a float.
"""

import argparse
import json
import time
from pathlib import Path

DAYS = 7
# Each dialect writes it its own way.
RANGE = "RANGE BETWEEN INTERVAL {} PRECEDING AND CURRENT ROW"
# What is read of the file; times as text, for each line says +08:00 and all systems count in that local time.
TEXTS = ("txn_id", "occurred_at", "payer_account", "payee_account")


def results(distinct, window="per_payee"):
    """The columns that are asked for."""
    payers = f", count(DISTINCT payer_account) OVER {window} AS payers" if distinct else ""
    return f"txn_id, count(*) OVER {window} AS transfers, sum(amount) OVER {window} AS total{payers}"


def arguments(**more):
    """The command line of a system's module: what it reads, where it writes, and how."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--to", type=Path, help="where the rows go, for the check")
    parser.add_argument("--threads", type=int, default=1)
    for name, default in more.items():
        name = "--" + name.replace("_", "-")
        if default is False:
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(default), default=default)
    return parser.parse_args()


class Work:
    """From here to `done` is work; what the process takes besides is its start and its end."""

    def __init__(self):
        self.began = time.monotonic()

    def done(self, **more):
        print(json.dumps({"work_seconds": round(time.monotonic() - self.began, 3), **more}))

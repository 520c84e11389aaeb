"""A few transfers behind the generated ones, at the borders where systems would differ first.

In the generated file hardly any two transfers of an account lie exactly seven days apart, so a window closed at its beginning could pass for a
half-open one. Here are five accounts for which it could not. They come in order, a day after the last generated transfer, so nothing is late.
"""

import json
from datetime import datetime, timedelta

from peers.window import DAYS

WINDOW = timedelta(days=DAYS)
SECOND = timedelta(seconds=1)
# Moment after the beginning, payer, payee.
MOVES = [
    (0 * SECOND, "border-payer-1", "border-a"),
    (0 * SECOND, "border-payer-1", "border-b"),
    (0 * SECOND, "border-payer-1", "border-d"),
    (0 * SECOND, "border-payer-1", "border-e"),
    # One payer twice and another once in one second: three transfers, two payers, and each row sees all three.
    (0 * SECOND, "border-payer-1", "border-c"),
    (0 * SECOND, "border-payer-1", "border-c"),
    (0 * SECOND, "border-payer-2", "border-c"),
    # A second before it is seven days ago, b has two and e, which pays, still one.
    (WINDOW - SECOND, "border-payer-2", "border-b"),
    (WINDOW - SECOND, "border-e", "border-payee"),
    # Seven days later a has one again, and d, which pays, none.
    (WINDOW, "border-payer-2", "border-a"),
    (WINDOW, "border-d", "border-payee"),
]


def lines(last):
    """The lines that come behind a line."""
    model = json.loads(last)
    begin = datetime.fromisoformat(model["occurred_at"]) + timedelta(days=1)
    for number, (after, payer, payee) in enumerate(MOVES):
        move = {"txn_id": f"B{number:03}", "occurred_at": (begin + after).isoformat(), "payer_account": payer, "payee_account": payee}
        yield json.dumps(model | move, ensure_ascii=False, separators=(",", ":")) + "\n"

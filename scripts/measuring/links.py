"""Groups that weir link proposes in a generated bank, held against its labels: as shipped, and with one setting looser each.

A proposal is wrong that holds no two accounts of one scheme's own. Households are proposed only where the bank has devices (`--with devices`), and are wrong
here: they are no scheme's.
"""

import csv
import shutil
from collections import defaultdict

from measuring.run import Weir, run, write

SETTINGS = ["", "--households", "--payer-share 0", "--payee-customers 10", "--payee-share 30"]
OWN_ROLES = {"collector", "pool", "payout"}


def rows(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def accounts(customers):
    """The customers of each scheme whose accounts are its own."""
    own = defaultdict(set)
    for row in customers:
        if row["label"] == "scheme" and row["role"] in OWN_ROLES:
            own[row["part"]].add(row["party"])
    return own


def judged(proposed, own):
    """Schemes of which a proposal holds two accounts; proposals; those that are wrong; those others that hold somebody else as well."""
    groups = defaultdict(set)
    for row in proposed:
        groups[row["group"]].add(f"c:{row['institution']}/{row['customer']}")

    def holds_two(members):
        return [of for of in own.values() if len(members & of) >= 2]

    everybody = set().union(*own.values())
    together = sum(any(len(members & of) >= 2 for members in groups.values()) for of in own.values())
    right = [members for members in groups.values() if holds_two(members)]
    mixed = [members for members in right if members - everybody]
    return together, len(groups), len(groups) - len(right), len(mixed)


def measure(args):
    weir, town = Weir(args.out), args.out / "links"
    shutil.rmtree(town, ignore_errors=True)
    sizes = ["--seed", args.seed, "--customers", args.customers, "--days", args.days, "--per-scheme", args.per_scheme]
    sizes += ["--with", args.extras] if args.extras else []
    run([weir.binary, "synth", "--out", town, "--format", "parquet", *sizes])
    own = accounts(rows(town / "labels" / "customers.csv"))
    split = sum(len(of) > 1 for of in own.values())
    lines = [
        f"`weir synth {' '.join(map(str, sizes))}`: {len(own)} schemes, of which {split} have two or more accounts of their own. {weir.version}, checkout {weir.checkout}.\n",
        f"| settings | schemes with two accounts in one proposal, of {split} | proposals | wrong | others with somebody else in them |",
        "|---|---:|---:|---:|---:|",
    ]
    for setting in SETTINGS:
        groups = town / "groups.csv"
        command = [weir.binary, "link", "--feed", town / "feed.yaml", "--parties", town / "parties.csv", "--out", groups, *setting.split()]
        run([*command, town / "transactions.parquet"])
        counts = " | ".join(map(str, judged(rows(groups), own)))
        lines.append(f"| {f'`{setting}`' if setting else 'as shipped'} | {counts} |")
    shutil.rmtree(town)
    text = "\n".join(lines) + "\n"
    write(args.out / "links.md", text)
    print(text, end="")

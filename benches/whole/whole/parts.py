"""What is run: each part turns one dial and leaves the others where they are."""

from dataclasses import dataclass

from whole.traffic import Traffic


@dataclass
class Run:
    part: str
    what: str
    traffic: Traffic
    # jsonl, csv or parquet.
    form: str = "jsonl"
    # Of peers.rules: two is both patterns, all the whole pack.
    rules: str = "all"
    shards: int = 1


def forms(args):
    traffic = Traffic(args.transfers)
    for rules in ("two", "all"):
        for form in ("jsonl", "csv", "parquet"):
            for shards in (1, 2):
                yield Run("forms", f"{form}, {traffic.parties:,} accounts, {traffic.days} days", traffic, form, rules, shards)


def scale(args):
    for parties in args.parties:
        yield Run("scale", f"{parties:,} accounts", Traffic(args.transfers, parties=parties))


def windows(args):
    # What is held follows from the time that passes: rules reach back 210 days, so that of 7, 30 and 90 days nothing leaves.
    for days in (7, 30, 90, 360):
        yield Run("windows", f"{days} days", Traffic(args.transfers, days=days))


def skew(args):
    for skew in (800, 1200):
        yield Run("skew", f"Zipf {skew / 1000}", Traffic(args.transfers, skew=skew))
    yield Run("skew", "one account takes 10 %", Traffic(args.transfers, hot=10))


PARTS = {"forms": forms, "scale": scale, "windows": windows, "skew": skew}
TITLES = {
    "forms": "By form of the input, rules and shards",
    "scale": "By the number of accounts, at equal traffic",
    "windows": "By the days the traffic is spread over",
    "skew": "By the skew of activity",
}

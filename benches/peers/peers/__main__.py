"""The command line of benches/peers/run, and the order of things: the file, each system in turn, the check, the table."""

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from peers import borders, rules, table
from peers.measured import Failed, adopt, measure
from peers.setting import binary, output, provenance, say, to_its_end, traffic
from peers.systems import PACKAGES, REFERENCE, TITLES, forms


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--transfers", type=int, default=1_000_000, metavar="N", help="transfers in the file")
    parser.add_argument("--parties", type=int, default=100_000, metavar="N", help="accounts they move between")
    parser.add_argument("--days", type=int, default=90, metavar="D", help="days they are spread over")
    parser.add_argument("--only", nargs="+", choices=TITLES, metavar="NAME", help=f"of {', '.join(TITLES)}; each must run")
    parser.add_argument("--out", type=Path, default=Path("out/peers"), metavar="DIR", help="where file, answers and table go")
    parser.add_argument("--list-environments", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    # What is named must run; of all there are, one that cannot be installed stands in the table with its reason.
    args.must_run, args.only = bool(args.only), args.only or list(TITLES)
    return args


def python(system):
    """The Python that has a system's packages."""
    path = os.environ.get(f"PEERS_PYTHON_{system.upper()}")
    if not path:
        raise Failed(f"{' '.join(PACKAGES[system])} cannot be installed (out/python/peers-{system}.log)")
    if system == "flink" and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Failed("no Java")
    return path


def command(form, file, out):
    left = out / form.leaves if form.leaves else None
    if form.system != "weir":
        to = ["--to", left] if left else []
        return [python(form.system), "-m", f"peers.{form.system}", file, "--threads", form.threads, *form.options, *to]
    folder = rules.make(form.rules, Path("rules"), out / "rules")
    alerts = left or out / f"{form.name}.jsonl"
    large = ["--large-amount", out / f"{form.name}-large.jsonl"] if form.rules in ("two", "all") else []
    return [binary("weir"), "detect", "--json", "--rules", folder, "--shards", form.threads, "--alerts", alerts, *large, file]


def row_of(form, file, args):
    """One system in one form, measured; or the reason why not."""
    row = {"system": form.system, "name": form.name, "does": form.does, "threads": form.threads}
    try:
        left = args.out / form.leaves if form.leaves else None
        if left and left.is_dir():
            shutil.rmtree(left)
        elif left:
            left.unlink(missing_ok=True)
        cost = measure(command(form, file, args.out), args.out / f"{form.name}.log")
    except Failed as failure:
        say(f"  not run: {failure}")
        return row | {"not_run": str(failure)}
    costs = asdict(cost)
    row |= costs.pop("said") | costs
    table.rates(row, args.transfers)
    say(f"  {cost.wall_seconds:.2f} s, {row['transfers_per_second']:,} transfers a second, {cost.peak_mib:.0f} MiB")
    return row


def check(rows, todo, file, args):
    """What peers.check finds between the answers that are there."""
    ran = {row["name"] for row in rows if "not_run" not in row}
    left = [form.leaves for form in todo if form.leaves and form.name in ran]
    missed = [form.name for form in todo if form.leaves and form.name not in ran]
    if REFERENCE not in ran:
        return {"compared": [], "differences": [], "missed": [*missed, *left], "why": f"{REFERENCE} was not run"}
    say(f"comparing {', '.join(left)}")
    try:
        found = measure([python("duckdb"), "-m", "peers.check", file, args.out, *left], args.out / "check.log").said
    except Failed as failure:
        raise Failed(f"the check broke off: {failure}") from failure
    for line in found["compared"]:
        say(f"  {line}")
    return found | {"missed": missed, "why": "not run"}


def about(args, file, systems):
    versions = {"weir": output(str(binary("weir")), "--version").removeprefix("weir ")} if "weir" in systems else {}
    for system in systems:
        for package in PACKAGES.get(system, []):
            name, _, version = package.partition("==")
            versions[name] = version
    return provenance("benches/peers/run") | {
        "machine": table.machine(),
        "versions": versions | {"Python": sys.version.split()[0]},
        "transfers": args.transfers,
        "parties": args.parties,
        "days": args.days,
        "bytes": file.stat().st_size,
    }


def main():
    args = arguments()
    if args.list_environments:
        for system in [name for name in PACKAGES if name in args.only]:
            print(system, *PACKAGES[system])
        return 0
    adopt()
    args.out.mkdir(parents=True, exist_ok=True)
    sizes = (args.transfers, args.parties, args.days)
    file = traffic(args.out / f"transfers-{'-'.join(map(str, sizes))}.jsonl", sizes, borders.lines)
    todo = [form for form in forms() if form.system in args.only]
    facts, rows = about(args, file, args.only), []
    for number, form in enumerate(todo, 1):
        say(f"{number:3} of {len(todo)}  {TITLES[form.system]}: {form.does}, {form.threads} thread{'s' if form.threads > 1 else ''}")
        rows.append(row_of(form, file, args))
    table.ratios(rows)
    found = check(rows, todo, file, args)
    text = table.markdown(facts, rows, found)
    (args.out / "table.json").write_text(
        json.dumps({"about": facts, "rows": rows, "check": found}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text)
    return 1 if found["differences"] or args.must_run and any("not_run" in row for row in rows) else 0


to_its_end("benches/peers/run", main)

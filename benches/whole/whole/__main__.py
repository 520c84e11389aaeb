"""The command line of benches/whole/run, and the order of things: files, runs, table."""

import argparse
import json
import os
from pathlib import Path

from peers import rules
from peers.measured import adopt, measure
from peers.setting import binary, output, provenance, say, to_its_end
from peers.table import machine
from whole.parts import PARTS, TITLES


def arguments():
    parser = argparse.ArgumentParser(prog="benches/whole/run", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--transfers", type=int, default=1_000_000, metavar="N", help="transfers in each file")
    parser.add_argument("--parties", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000], metavar="N", help="accounts, of part scale")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, default=Path("out/whole"), metavar="DIR", help="where files and the table go")
    return parser.parse_args()


def one(run, args):
    """A run, measured."""
    file = run.traffic.file(args.out, run.form)
    folder = rules.make(run.rules, Path("rules"), args.out / "rules")
    summary = args.out / "summary.json"
    command = [binary("weir"), "detect", "--json", "--rules", folder, "--shards", run.shards]
    command += ["--alerts", args.out / "alerts.jsonl", "--large-amount", args.out / "large.jsonl", "--summary", summary, file]
    cost = measure(command, args.out / "run.log")
    said = json.loads(summary.read_text(encoding="utf-8"))
    # Its own word: what the system reports of a child begins with what this process, with DuckDB in it, held when it was forked.
    peak = said["peak_memory_kib"] / 1024
    row = {
        "part": run.part,
        "what": run.what,
        "rules": run.rules,
        "shards": run.shards,
        "bytes": file.stat().st_size,
        "wall_seconds": cost.wall_seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_mib": round(peak, 1),
        "transfers_per_second": round(run.traffic.transfers / cost.wall_seconds),
        "cpu_micros_a_transfer": round(cost.cpu_seconds * 1e6 / run.traffic.transfers, 2),
        "parties": said["parties"],
        "legs": said["legs"],
        "instants_gated": said["instants_gated"],
        "bytes_a_leg": round(peak * 2**20 / said["legs"]),
    }
    say(f"  {row['transfers_per_second']:,} transfers a second, {row['cpu_micros_a_transfer']} µs of CPU each, {peak:.0f} MiB")
    return row


HEADS = ["what", "rules", "shards", "wall, s", "transfers/s", "CPU, µs a transfer", "peak, MiB", "bytes a leg", "parties seen", "instants that pass gates"]


def markdown(about, rows):
    ran = about["machine"]
    lines = [
        f"{about['transfers']:,} transfers a file, both sides monitored; {ran['cpu']}, {ran['cores']} cores, {ran['memory_gib']} GiB; load when it began"
        f" {about['load']}; {about['weir']}, checkout {about['checkout']}. `{about['command']}`, {about['began']}."
    ]
    for part in dict.fromkeys(row["part"] for row in rows):
        lines += ["", f"**{TITLES[part]}**", "", "| " + " | ".join(HEADS) + " |", "|---|---|" + "---:|" * (len(HEADS) - 2)]
        lines += [
            f"| {row['what']} | {row['rules']} | {row['shards']} | {row['wall_seconds']:.2f} | {row['transfers_per_second']:,}"
            f" | {row['cpu_micros_a_transfer']:.2f} | {row['peak_mib']:.0f} | {row['bytes_a_leg']:,} | {row['parties']:,} | {row['instants_gated']:,} |"
            for row in rows
            if row["part"] == part
        ]
    return "\n".join(lines) + "\n"


def main():
    args = arguments()
    adopt()
    args.out.mkdir(parents=True, exist_ok=True)
    about = provenance("benches/whole/run") | {
        "machine": machine(),
        "load": round(os.getloadavg()[0], 2),
        "weir": output(str(binary("weir")), "--version"),
        "transfers": args.transfers,
    }
    todo = [run for part in args.only for run in PARTS[part](args)]
    rows = []
    for number, run in enumerate(todo, 1):
        say(f"{number:3} of {len(todo)}  {run.what}, {run.rules}, {run.shards} shard{'s' if run.shards > 1 else ''}")
        rows.append(one(run, args))
    text = markdown(about, rows)
    (args.out / "table.json").write_text(json.dumps({"about": about, "rows": rows}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


to_its_end("benches/whole/run", main)

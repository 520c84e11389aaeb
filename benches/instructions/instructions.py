"""Callgrind over a small input and one twice as long; the difference, by the functions that stages begin with.

Of the detector they repeat exactly, of reading to one in a hundred (how blocks of memory grow). They say nothing of waiting for memory, which is where
the detector spends most of its time: a change that lowers them may be worth nothing, one that raises them must say why.
"""

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path

from peers import rules
from peers.measured import Failed
from peers.setting import binary, output, provenance, say, to_its_end, traffic

# A stage and the function that it begins with, as callgrind names it. A stage that the compiler has put into its caller is not seen.
STAGES = {
    "all threads": None,
    "read: bytes to legs": r"weir_feed::reader::Reader as .*Iterator>::next",
    "of that, fields of a line": r"weir_feed::row::Row::read_json",
    "of that, fields to a transaction": r"weir_feed::decode::transaction",
    "of that, a transaction to legs": r"weir_feed::split::Splitter::split",
    "detect: legs to effects": r"weir_engine::partition::Engine::step",
    "of that, a leg into its history": r"weir_engine::history::Party::accept",
    "of that, totals and gates": r"weir_engine::partition::legs::.*changed",
    "of that, evaluating what waits": r"weir_engine::partition::hits::.*flush",
    "of that, letting go": r"weir_engine::history::Party::tidy",
}
ACCOUNTS, DAYS = 5_000, 30


def count(folder, file, args):
    """Instructions by stage of one run, without the stages that are not seen."""
    found, log = args.out / "callgrind.out", args.out / "run.log"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={found}", binary("weir"), "detect", "--shards", "1", "--rules", folder]
    command += ["--alerts", args.out / "alerts.jsonl", "--large-amount", args.out / "large.jsonl", file]
    with open(log, "wb") as told:
        ended = subprocess.run([str(word) for word in command], stdout=told, stderr=told)
    # 1 says that alerts were found.
    if ended.returncode not in (0, 1):
        raise Failed(f"exit {ended.returncode} ({log})")
    annotated = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", found], capture_output=True, text=True, check=True).stdout
    counts = {}
    for line in annotated.splitlines():
        if match := re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+(.*)", line):
            number, name = int(match[1].replace(",", "")), match[2]
            for stage, wanted in STAGES.items():
                is_it = name.startswith("PROGRAM TOTALS") if wanted is None else re.search(wanted + r"(?!::\{)", name)
                if is_it:
                    # One function stands there once for each file that code was put into it from; the largest is all of it.
                    counts[stage] = max(counts.get(stage, 0), number)
    return counts


def main():
    parser = argparse.ArgumentParser(prog="benches/instructions/run", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--transfers", type=int, default=20_000, metavar="N", help="transfers of the shorter run")
    parser.add_argument("--out", type=Path, default=Path("out/instructions"), metavar="DIR", help="where files and the table go")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        raise Failed("no valgrind: sudo apt-get install -y valgrind")
    args.out.mkdir(parents=True, exist_ok=True)
    about = provenance("benches/instructions/run") | {"weir": output(str(binary("weir")), "--version"), "transfers": args.transfers}
    files = []
    for transfers in (args.transfers, 2 * args.transfers):
        # Days grow along: both files are of equal density.
        numbers = (transfers, ACCOUNTS, DAYS * transfers // args.transfers, 1)
        files.append(traffic(args.out / f"transfers-{transfers}-{ACCOUNTS}-{numbers[2]}.jsonl", numbers))
    table = {}
    for name in ("two", "all"):
        folder = rules.make(name, Path("rules"), args.out / "rules")
        say(f"rules {name}, {args.transfers:,} and {2 * args.transfers:,} transfers")
        short, long = (count(folder, file, args) for file in files)
        table[name] = {stage: round((long[stage] - short[stage]) / args.transfers) for stage in STAGES if stage in short and stage in long}
        if not table[name].get("all threads"):
            raise Failed("callgrind has counted nothing")
    lines = [f"{about['weir']}, checkout {about['checkout']}. `{about['command']}`, {about['began']}.", ""]
    lines += ["| instructions a transfer | two | all |", "|---|---:|---:|"]
    lines += [f"| {stage} | {' | '.join(f'{table[name][stage]:,}' if stage in table[name] else '–' for name in table)} |" for stage in STAGES]
    text = "\n".join(lines) + "\n"
    (args.out / "table.json").write_text(json.dumps({"about": about, "instructions": table}, indent=1) + "\n", encoding="utf-8")
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


to_its_end("benches/instructions/run", main)

"""One bank after another: generated, detected in, and forgotten but for its labels and what was said of it.

What is measured carries what measured it: the binary, the rules, this file and the sizes. What carries the same is not measured again, so an interrupted run
goes on where it was; what carries something else is. Binary and rules are copied first, so that a build or an edit meanwhile changes nothing.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date, timedelta
from pathlib import Path


def seeds(text):
    """`1001..1010`, both ends included, or a single one."""
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


class Failed(Exception):
    """What ends the run, told in a line."""


RUNNING = set()


def run(command):
    command = [str(word) for word in command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        RUNNING.add(child)
        out, messages = child.communicate()
        RUNNING.discard(child)
    if child.returncode:
        raise Failed(f"{' '.join(command)}: exit {child.returncode}\n{(messages or out).strip()}")
    return out


def read(path):
    """A file of JSON; nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write(path, text):
    """A file that appears complete or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def as_json(value):
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


class Weir:
    """The binary and the rules as they are now; without those on trial, where `is_active`: their alerts count nowhere, and their points open none. Where `only`
    names some, all others are off."""

    def __init__(self, out, is_active=False, only=()):
        binary = Path(os.environ.get("WEIR", "target/debug/weir"))
        if not binary.is_file():
            raise Failed(f"no binary {binary}: build it, or name another in WEIR")
        out.mkdir(parents=True, exist_ok=True)
        self.copies = tempfile.TemporaryDirectory(dir=out, prefix="weir-")
        self.binary = Path(shutil.copy(binary, Path(self.copies.name) / "weir"))
        self.rules = Path(shutil.copytree("rules", Path(self.copies.name) / "rules"))
        self.is_active, self.only = is_active, only
        off = r"\w+" if only else "shadow"
        missing = set(only)
        # Off and not away: points of other rules rest on some of them.
        for path in self.rules.rglob("*.yaml") if is_active or only else ():
            text = path.read_text(encoding="utf-8")
            named = {name for name in only if re.search(rf"(?m)^id:\s*{re.escape(name)}\s*$", text)}
            missing -= named
            if not named:
                path.write_text(re.sub(rf"(?m)^status:\s*{off}\b", "status: retired", text), encoding="utf-8")
        # Before hours of generating, not after.
        if missing:
            raise Failed(f"no rule {', '.join(sorted(missing))} in rules/")
        run([self.binary, "rule", "check", self.rules])
        hasher = hashlib.sha256()
        for path in [self.binary, Path(__file__), *sorted(self.rules.rglob("*.yaml"))]:
            hasher.update(path.read_bytes())
        self.stamp = hasher.hexdigest()[:16]
        self.version = run([self.binary, "--version"]).strip()
        self.checkout = run(["git", "describe", "--always", "--dirty"]).strip() if Path(".git").exists() else "unknown"

    def bank(self, folder, seed, sizes, held, jobs):
        """Generates a bank and detects in it, unless that was done. What is left: alerts, labels, bank.json, summary.json, and run.json of this."""
        asked = {"stamp": self.stamp, "seed": seed, **sizes, "held": held}
        done = read(folder / "run.json")
        if done and done["asked"] == asked:
            return done, False
        begun = folder.with_name(folder.name + ".part")
        for old in (folder, begun):
            shutil.rmtree(old, ignore_errors=True)
        started = time.monotonic()
        # A twentieth of the room of JSON lines, and no slower: detecting takes twenty times as long as writing and reading together.
        synth = [self.binary, "synth", "--out", begun, "--format", "parquet", "--seed", seed]
        synth += ["--customers", sizes["customers"], "--days", sizes["days"], "--per-scheme", sizes["per_scheme"]]
        synth += [word for name, value in held.items() for word in ("--hold", f"{name}={value}")]
        synth += ["--with", sizes["with"]] if sizes["with"] else []
        run(synth if sizes["parties"] else [*synth, "--without-parties"])
        generated = time.monotonic()
        shards = max(1, (os.cpu_count() or 1) // jobs)
        # As a bank would that knows when the file came: wrong dates decades ahead go to the dead letters. Without it each pulls the clock on by
        # a day, and in a bank with one every other day what follows soon counts as late.
        bank = read(begun / "bank.json")
        end = date.fromisoformat(bank["from"]) + timedelta(days=bank["days"])
        detect = [self.binary, "detect", "--rules", self.rules, "--shards", shards, "--feed", begun / "feed.yaml"]
        detect += ["--now", f"{end}T00:00:00+08:00"]
        detect += ["--parties", begun / "parties.csv"] if sizes["parties"] else []
        detect += ["--alerts", begun / "alerts.jsonl", "--summary", begun / "summary.json"]
        run([*detect, begun / "transactions.parquet"])
        # The feed is large and can be generated again; serials without it say nothing.
        for name in ("transactions.parquet", "feed.yaml", "parties.csv", "labels/transactions.csv"):
            (begun / name).unlink(missing_ok=True)
        summary = read(begun / "summary.json")
        done = {
            "asked": asked,
            "rule_set": summary["rule_set"],
            "rows": bank["rows"],
            "synth_seconds": round(generated - started, 1),
            "detect_seconds": round(time.monotonic() - generated, 1),
            "peak_memory_kib": summary["peak_memory_kib"],
        }
        write(begun / "run.json", as_json(done))
        begun.rename(folder)
        return done, True

    def eval(self, folders, form):
        """Banks judged together."""
        command = [self.binary, "eval", "--lang", "en", form]
        for folder in folders:
            command += ["--alerts", folder / "alerts.jsonl", "--labels", folder]
        return run(command)

    def pool(self, scores):
        """Scores added up, as Markdown."""
        return run([self.binary, "eval", "--lang", "en", "--markdown", "--scores", *scores])

    def about(self, banks, sizes):
        """What measured what: the part of every result that says where its numbers are from."""
        by = {"weir": self.version, "checkout": self.checkout, "stamp": self.stamp, "rule_set": banks[0]["rule_set"], "active": self.is_active}
        by |= {"only": " ".join(self.only)} if self.only else {}
        return by | sizes | {"rows": sum(bank["rows"] for bank in banks)}


def sizes_of(args, parties=True):
    return {"customers": args.customers, "days": args.days, "per_scheme": args.per_scheme, "parties": parties, "with": args.extras}


def span(seeds):
    return f"{seeds[0]}..{seeds[-1]}"


def told(about):
    """The same in a sentence."""
    parties = "with party data" if about["parties"] else "without party data"
    left_out = f", of which {about['only']} alone" if about.get("only") else ", rules on trial left out" if about["active"] else ""
    extras = f", and {about['with']} besides" if about.get("with") else ""
    return (
        f"Seeds {about['seeds']}: banks of {about['customers']:,} customers over {about['days']} days, one scheme for {about['per_scheme']:,}"
        f" customers, {parties}{extras}; {about['rows']:,} transactions in all. {about['weir']}, checkout {about['checkout']}, binary and rules"
        f" {about['stamp']}, rule set {about['rule_set'][:16]}{left_out}."
    )


def clock(seconds):
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min" if minutes else f"{round(seconds)} s"


def each(tasks, jobs, work):
    """Works on named tasks, several at once, and says after each how far it is. What was done before takes no time and is not reckoned with."""
    began, fresh, results = time.monotonic(), 0, {}
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(work, task): name for name, task in tasks.items()}
        try:
            for count, future in enumerate(as_completed(waiting), 1):
                name = waiting[future]
                results[name], is_fresh = future.result()
                fresh += is_fresh
                elapsed = time.monotonic() - began
                state = f"elapsed {clock(elapsed)}, left about {clock(elapsed / fresh * (len(tasks) - count))}" if is_fresh else "was done"
                print(f"{count:4} of {len(tasks)}  {name:20} {state}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(RUNNING):
                child.terminate()
            raise
    return [results[name] for name in tasks]

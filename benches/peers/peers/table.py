"""What was measured, for people (Markdown) and for programs (JSON)."""

import os
import platform
from pathlib import Path

from peers.borders import MOVES
from peers.systems import MEASURE_OF_ALL, TITLES

HEADS = [
    "system",
    "does",
    "threads",
    "wall, s",
    "of it start and end, s",
    "CPU, s",
    "transfers/s",
    "per CPU-second",
    "peak, MiB",
    "× Flink",
    "× Flink by CPU",
]


def machine():
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": models[0] if models else platform.machine(), "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1)}


def rates(row, transfers):
    """Adds what follows from what was measured."""
    row["transfers_per_second"] = round(transfers / row["wall_seconds"])
    row["transfers_per_cpu_second"] = round(transfers / row["cpu_seconds"])


def ratios(rows):
    flink = next((row for row in rows if row["name"] == MEASURE_OF_ALL and "not_run" not in row), None)
    for row in rows:
        if flink and "not_run" not in row:
            row["times_flink"] = round(flink["wall_seconds"] / row["wall_seconds"], 2)
            row["times_flink_by_cpu"] = round(flink["cpu_seconds"] / row["cpu_seconds"], 2)


def company(rows, cores):
    """How much of the machine was not free: below a tenth of a core the rates of two threads are what two threads can do."""
    timed = [row for row in rows if "not_run" not in row]
    wall = sum(row["wall_seconds"] for row in timed)
    return f"Other processes took {sum(row['others_cpu_seconds'] for row in timed) / wall:.2f} of {cores} cores meanwhile." if wall else ""


def without_start(rows, transfers):
    """Flink's rate were its Java machine up already, told because at small sizes its start is most of what was measured."""
    flink = next((row for row in rows if row["name"] == MEASURE_OF_ALL and "work_seconds" in row), None)
    return [f"Flink without start and end: {transfers / flink['work_seconds']:,.0f} transfers a second.", ""] if flink else []


def cells(row):
    first = [TITLES[row["system"]], row["does"], row["threads"]]
    if "not_run" in row:
        return [*first, "not run: " + row["not_run"].replace("|", "/"), *[""] * (len(HEADS) - 4)]
    started = row["wall_seconds"] - row["work_seconds"] if "work_seconds" in row else None
    return [
        *first,
        f"{row['wall_seconds']:.2f}",
        "" if started is None else f"{started:.2f}",
        f"{row['cpu_seconds']:.2f}",
        f"{row['transfers_per_second']:,}",
        f"{row['transfers_per_cpu_second']:,}",
        f"{row['peak_mib']:.0f}",
        row.get("times_flink", ""),
        row.get("times_flink_by_cpu", ""),
    ]


def markdown(about, rows, check):
    ran = about["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    size = (
        f"{about['transfers']:,} transfers (and {len(MOVES)} at the borders of windows) among {about['parties']:,} accounts over {about['days']} days"
    )
    lines = [
        f"{size}, {about['bytes']:,} bytes of JSON; windows of seven days.",
        f"{ran['cpu']}, {ran['cores']} cores, {ran['memory_gib']} GiB. {company(rows, ran['cores'])}",
        f"{versions}; checkout {about['checkout']}.",
        f"`{about['command']}`, {about['began']}.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---|---|" + "---:|" * (len(HEADS) - 2),
        *("| " + " | ".join(map(str, cells(row))) + " |" for row in rows),
        "",
        *without_start(rows, about["transfers"]),
        *(f"- {line}" for line in check["compared"]),
    ]
    for difference in check["differences"]:
        lines += [
            "",
            f"**Different**: {difference['what']} (- the reference alone, + the other alone)",
            "",
            *(f"    {row}" for row in difference["rows"]),
        ]
    if check["missed"]:
        lines.append(f"- not compared: {', '.join(check['missed'])} ({check['why']})")
    return "\n".join(lines) + "\n"

"""An ordinary day of the generated town, and its schemes, beside what is published or judged of real ones.

The generator counts the town's figures while it writes (`figures` in bank.json); peaks are counted here, in the feed itself,
and schemes in their labels.
"""

import csv
import json
import shutil
from collections import Counter
from statistics import median

from measuring.run import Weir, read, run, write

PEAKS = [100, 500, 1_000, 10_000, 50_000]
# How far around a peak its rivals lie, in per cent.
NEAR = 5


def percent(per_mille):
    return f"{per_mille / 10:.1f} %"


def hundredths(value):
    return f"{value / 100:.1f}"


def amounts(feed):
    """How often each whole amount stands in the feed, in yuan, and how many rows there are."""
    counts, rows = Counter(), 0
    with open(feed, encoding="utf-8") as lines:
        for line in lines:
            rows += 1
            text = json.loads(line)["amount"]
            if text.endswith(".00") and text[:-3].isdigit():
                counts[int(text[:-3])] += 1
    return counts, rows


def peak(counts, rows, value):
    """Its share of all rows, and how many times as often it stands there as the most frequent amount near it."""
    rival = max((counts[near] for near in range(value * (100 - NEAR) // 100, value * (100 + NEAR) // 100 + 1) if near != value), default=0)
    return f"{counts[value] / rows * 100:.2f} %, {counts[value] / max(rival, 1):.0f} times the next within {NEAR} %"


def quartiles(numbers):
    """Median, and the middle half."""
    numbers = sorted(numbers)
    return f"{median(numbers):,.0f} ({numbers[len(numbers) // 4]:,} to {numbers[len(numbers) * 3 // 4]:,})"


def town(figures, counts, rows):
    yield "movements of a person a month, mean / median", f"{hundredths(figures['people_a_month_mean_x100'])} / {hundredths(figures['people_a_month_median_x100'])}", "8–15 / 4–6 at one bank (judgement); 31 over all banks, 4.5 a card (PBoC 2023)"
    yield "people with less than one a month / two", f"{percent(figures['people_below_one_a_month_per_mille'])} / {percent(figures['people_below_two_a_month_per_mille'])}", "30–40 % nearly idle (judgement)"
    yield "organisations and sole traders among customers", percent(figures["organisations_per_mille"]), "5–8 % (judgement)"
    yield "their movements a month, median", hundredths(figures["organisations_a_month_median_x100"]), "20–60 (judgement)"
    yield "between 22 and 6 o'clock", percent(figures["night_per_mille"]), "5–8 % (judgement)"
    yield "purchases below 200 yuan", percent(figures["retail_below_200_per_mille"]), "over half (judgement)"
    yield "mean purchase, yuan", f"{figures['retail_mean_yuan']:,}", "442 (PBoC 2023, card payments)"
    yield "mean payment by mobile bank, yuan", f"{figures['mobile_mean_yuan']:,}", "about 3,000 (PBoC 2023)"
    yield "mean cash deposit / withdrawal, yuan", f"{figures['cash_deposit_mean_yuan']:,} / {figures['cash_withdrawal_mean_yuan']:,}", "about 7,500 / 5,500 (PBoC 2023)"
    for value in PEAKS:
        yield f"of exactly {value:,} yuan", peak(counts, rows, value), "a peak (judgement)"


def schemes(rows):
    def dial(name):
        return [int(row[f"dial_{name}"]) for row in rows]

    yield "investors, median (middle half)", quartiles(dial("investors")), "lognormal, median 120, 20–3,000 (judgement)"
    yield "paid in by a younger one, median of medians, yuan", quartiles([fen // 100 for fen in dial("pay_in")]), "30,000–50,000; seniors 50,000–200,000 (judgement)"
    yield "promised a year, %", quartiles([rate * 12 // 100 for rate in dial("rate")]), "8–36 (judgement)"
    yield "commission, %", quartiles([share // 10 for share in dial("commission")]), "3–20 (judgement)"
    yield "life, days", quartiles(dial("life")), "6–36 months (judgement)"
    yield "seen at this bank, % of investors", quartiles([share // 10 for share in dial("visible")]), "20–60 (judgement)"
    reached = [int(row["visible_payers"]) for row in rows if int(row["visible_payers"])]
    yield "payers seen by name by the last day, of those that have any", quartiles(reached), "–"


def table(heading, rows):
    lines = [f"| {heading} | here | beside it |", "|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def measure(args):
    weir, folder = Weir(args.out), args.out / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    sizes = {"customers": args.customers, "days": args.days, "per_scheme": args.per_scheme}
    options = [word for name, value in sizes.items() for word in (f"--{name.replace('_', '-')}", value)]
    run([weir.binary, "synth", "--out", folder, "--seed", args.seed, *options])
    bank = read(folder / "bank.json")
    counts, rows = amounts(folder / "transactions.jsonl")
    with open(folder / "labels" / "schemes.csv", encoding="utf-8", newline="") as lines:
        drawn = list(csv.DictReader(lines))
    about = (
        f"`weir synth --seed {args.seed} {' '.join(str(word) for word in options)}`: {rows:,} transactions. {weir.version}, checkout {weir.checkout}. Of ordinary life, schemes and"
        " look-alikes are left out but for the peaks and how many movements somebody has; schemes are as drawn, but for the last line. What stands beside is published or, as marked, judgement."
    )
    text = [f"# The generated town in figures\n\n{about}\n", table("ordinary life", town(bank["figures"], counts, rows)), table(f"{len(drawn)} schemes", schemes(drawn))]
    write(args.to, "\n".join(text))
    shutil.rmtree(folder)
    print(args.to)

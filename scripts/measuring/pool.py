"""Banks that were measured at different times, counted together: what a score says as so many of so many is added up."""

import json
from collections import Counter
from math import sqrt

from measuring.run import Failed, seeds, told, write

# A month, as weir eval reckons.
MONTH = 365.25 / 12
Z = 1.959964


def share(hits, of):
    """So many of so many, with Wilson's interval of 95 %."""
    if not of:
        return "–"
    p, scale = hits / of, 1 + Z * Z / of
    middle, half = p + Z * Z / (2 * of), Z * sqrt(p * (1 - p) / of + Z * Z / (4 * of * of))
    return f"{hits:,}/{of:,} = {p:.3f} [{max(0, (middle - half) / scale):.3f}, {min(1, (middle + half) / scale):.3f}]"


def added(shares):
    return share(*(sum(one[key] for one in shares) for key in ("hits", "of")))


def by_rule(rows):
    counts = sum((Counter(row["by_rule"]) for row in rows), Counter())
    return ", ".join(f"{rule} {count:,}" for rule, count in sorted(counts.items()))


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def grouped(scores, list_name, *keys):
    """The rows of a list by their name, in the order in which names come first."""
    groups = {}
    for score in scores:
        for row in score[list_name]:
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def found(scores, list_name):
    shares = ("found", "before_filing", "before_30_percent")
    groups = grouped(scores, list_name, "what")
    names = groups if list_name == "sizes" else sorted(groups)
    rows = ([what[0], *(added([row[name] for row in groups[what]]) for name in shares), by_rule(groups[what])] for what in names)
    return table(["schemes", "found", "before 150 payers or 1,000,000", "before 30 % of the principal", "by rule"], rows)


def overall(scores):
    total = {key: sum(score[key] for score in scores) for key in ("banks", "customers", "alerts", "false_alerts")}
    months = sum(score["customers"] * score["days"] for score in scores) / MONTH / 10_000
    rates = sorted(score["false_per_10000_customers_and_month"] for score in scores)
    rows = [(key.replace("_", " "), f"{value:,}") for key, value in total.items()]
    single = f" (of single results {rates[0]:.2f} to {rates[-1]:.2f})" if len(rates) > 1 else ""
    rows += [("false alerts per 10,000 customers and month", f"{total['false_alerts'] / months:.2f}{single}")]
    rows += [("precision, by alert", added([score["precision"] for score in scores]))]
    rows += [("recall, by party", added([score["recall_parties"] for score in scores]))]
    return table(["measure", "value"], rows)


def families(scores):
    rows = []
    for (label, name), of in sorted(grouped(scores, "families", "label", "family").items()):
        instances, alerted = (sum(row["alerted"][key] for row in of) for key in ("of", "hits"))
        rows.append((name, label, f"{instances:,}", f"{alerted:,}", by_rule(of)))
    return table(["family", "label", "instances", "alerted", "alerts by rule"], rows)


def confusion(scores):
    counts = Counter()
    for score in scores:
        for rule, parties in score["confusion"].items():
            counts.update({(rule, party): alerts for party, alerts in parties.items()})
    return table(["rule", "party", "alerts"], ((*of, f"{alerts:,}") for of, alerts in sorted(counts.items())))


def missed(scores):
    rows = [row for score in scores for row in score["missed"]]
    if not rows:
        return ["None.", ""]
    rows = ((row["seed"], row["part"], row["family"], row["payout"], row["visible_payers"], f"{row['visible_principal']:,}", ", ".join(row["traits"])) for row in rows)
    return table(["seed", "part", "theme", "payout", "visible payers", "visible principal, yuan", "what is unusual"], rows)


def measure(args):
    results = [json.loads(path.read_text(encoding="utf-8")) for path in args.results]
    spans = [seeds(result["about"]["seeds"]) for result in results]
    for seed, count in Counter(seed for span in spans for seed in span).items():
        if count > 1:
            raise Failed(f"seed {seed} is there {count} times")
    alike = {json.dumps({key: result["about"][key] for key in ("customers", "days", "per_scheme", "parties", "rule_set")}) for result in results}
    if len(alike) > 1:
        raise Failed("these banks are of different sizes, views or rules, and cannot be counted together:\n" + "\n".join(sorted(alike)))
    listed = ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}..{span[-1]}" for span in sorted(spans, key=min))
    about = results[0]["about"] | {"seeds": listed}
    about |= {"rows": sum(result["about"]["rows"] for result in results)}
    about |= {key: ", ".join(sorted({result["about"][key] for result in results})) for key in ("weir", "checkout", "stamp")}
    scores = [result["score"] for result in results]
    lines = [f"# {args.title}", "", told(about), "", "**Overall**", "", *overall(scores), "**Schemes by visible payers**", "", *found(scores, "sizes")]
    lines += ["**By theme, ≥ 30 visible payers**", "", *found(scores, "themes"), "**By payout, ≥ 30 visible payers**", "", *found(scores, "payouts")]
    lines += ["**Look-alikes and grey families**", "", *families(scores), "**Whom the alerts of each rule are on**", "", *confusion(scores)]
    lines += ["**Missed, ≥ 30 visible payers**", "", *missed(scores)]
    write(args.to, "\n".join(lines))
    print(args.to)

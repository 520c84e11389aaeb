"""Banks that were measured at different times, counted together by weir eval: which they are, and that they are alike."""

import json
import tempfile
from collections import Counter
from pathlib import Path

from measuring.run import Failed, Weir, seeds, told, write


def measure(args):
    results = [json.loads(path.read_text(encoding="utf-8")) for path in args.results]
    spans = [seeds(result["about"]["seeds"]) for result in results]
    for seed, count in Counter(seed for span in spans for seed in span).items():
        if count > 1:
            raise Failed(f"seed {seed} is there {count} times")
    # Results of before banks could have something besides say nothing of it.
    keys = ("customers", "days", "per_scheme", "parties", "with", "active", "only", "rule_set")
    alike = {json.dumps({key: result["about"].get(key, "") for key in keys}) for result in results}
    if len(alike) > 1:
        raise Failed("these banks are of different sizes, views or rules, and cannot be counted together:\n" + "\n".join(sorted(alike)))
    listed = ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}..{span[-1]}" for span in sorted(spans, key=min))
    about = results[0]["about"] | {"seeds": listed, "rows": sum(result["about"]["rows"] for result in results)}
    about |= {key: ", ".join(sorted({result["about"][key] for result in results})) for key in ("weir", "checkout", "stamp")}
    with tempfile.TemporaryDirectory() as folder:
        scores = [Path(folder) / str(at) for at in range(len(results))]
        for path, result in zip(scores, results, strict=True):
            path.write_text(json.dumps(result["score"]), encoding="utf-8")
        tables = Weir(args.out).pool(scores)
    write(args.to, f"# {args.title}\n\n{told(about)}\n\n{tables}")
    print(args.to)

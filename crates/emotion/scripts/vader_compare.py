#!/usr/bin/env python3
"""Compares `score --columns vader` with vaderSentiment 3.3.2 on many texts, all four fields as printed.

    cargo build --release -p whisperengine-examples --example score
    venv/bin/python crates/emotion/scripts/vader_compare.py target/release/examples/score [texts.tsv ...]

Texts: the first column of each file, words of these texts put together anew in the shapes of posts and reviews, and
generated edge cases; 160,000 at least. Run on CPython 3.12 or newer. Exits with 1 if a line differs.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SentimentIntensityAnalyzer

ANALYZER = SentimentIntensityAnalyzer()
LEXICON, EMOJI, BOOSTERS = sorted(ANALYZER.lexicon), sorted(ANALYZER.emojis), sorted(BOOSTER_DICT)
RULES = ("no or nor but least at very kind of sort just enough never so this without doubt the shit bomb bad ass bus "
         "stop yeah right kiss death to die for beating heart").split()
PLAIN = "the a we saw went table walk and it was good bad great film room staff waited again today really".split()
SPACES = [" "] * 12 + ["\t", "\n", "\r\n", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u2029", "\u3000", "\u200b", "\0"]
ODD = ["\ud800", "\udfff", "\u0130", "\u212a", "\u01c5", "\xdf", "\u0301", "\u200d", "\ufe0f", "\U0001f3fd", "\u202e",
       "\u2019", "\ufeff", "\U0001d400", "\u4e2d", "\u0627", "\\", "\"", "</", "\x7f", "\x01"]
COUNT = 160_000


def word(rng, pool):
    chosen = rng.choice(rng.choice([LEXICON, EMOJI, BOOSTERS, NEGATE, RULES, PLAIN, pool, ODD]))
    case = rng.random()
    chosen = chosen.upper() if case < 0.15 else chosen.title() if case < 0.2 else chosen
    tail = rng.random()
    return chosen + (rng.choice("!?.,:;)('\"-*") * rng.choice([1, 1, 2, 3, 5]) if tail < 0.25 else "")


def texts(files):
    rng = random.Random(7)
    given = [line.split("\t")[0] for file in files for line in Path(file).read_text(encoding="utf-8").splitlines()]
    yield from given
    pool = sorted({piece for text in given[:20_000] for piece in text.split()}) or PLAIN
    yield from ["", " ", "\0", "\u2028", "\ud83d", "\ud83d\ude02", "!" * 100, "?" * 7, "a" * 70_000]
    for count in (10_000, 10_000, 5_000):
        yield " ".join(word(rng, pool) for _ in range(count))
        yield " ".join(rng.choice(["good", "but", "bad", "x", "NOT"]) for _ in range(count))
    for at in range(max(COUNT - len(given), 100_000)):
        kind = at % 4
        if kind == 0:
            yield "".join(word(rng, pool) + rng.choice(SPACES) for _ in range(rng.randint(0, 14)))
        elif kind == 1:
            yield f"@{rng.choice(pool)} " + " ".join(word(rng, pool) for _ in range(rng.randint(1, 20))) + f" #{rng.choice(pool)}"
        elif kind == 2:
            yield ". ".join(" ".join(rng.choice(PLAIN + pool[:99]) for _ in range(rng.randint(3, 15))) for _ in range(rng.randint(1, 8)))
        else:
            yield " ".join(rng.choice([word(rng, pool), rng.choice(RULES), rng.choice(LEXICON)]) for _ in range(rng.randint(1, 9)))


def main(program, files):
    sample = list(texts(files))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "texts.jsonl"), Path(folder, "scores.tsv")
        rng = random.Random(8)
        with source.open("w", encoding="utf-8", newline="\n") as out:
            for text in sample:
                line = {"id": 1, "text": text} if rng.random() < 0.3 else text
                # A lone surrogate can only be escaped; of the rest half the lines are written as they are.
                plain = rng.random() < 0.5 and not any(0xD800 <= ord(c) < 0xE000 for c in text)
                print(json.dumps(line, ensure_ascii=not plain), file=out)
        command = [program, "--input", str(source), "--output", str(target), "--columns", "vader"]
        subprocess.run(command, check=True)
        rows = target.read_text(encoding="utf-8").split("\n")[1:-1]
        # The full reading looks its words up in another way.
        subprocess.run([*command[:-1], "full"], check=True)
        full = target.read_text(encoding="utf-8").split("\n")[1:-1]
    different = abs(len(rows) - len(sample)) + abs(len(full) - len(sample))
    different += sum(row != "\t".join(other.split("\t")[:4]) for row, other in zip(rows, full))
    for text, row in zip(sample, rows):
        scores = ANALYZER.polarity_scores(json.loads(json.dumps(text)))
        expected = "\t".join(str(float(scores[key])) for key in ("neg", "neu", "pos", "compound"))
        if row != expected:
            different += 1
            if different <= 5:
                print(repr(text[:200]), "python", expected, "ours", row)
    print(f"{len(sample)} texts, {different} differ")
    return int(different > 0)


sys.exit(main(sys.argv[1], sys.argv[2:]))

#!/usr/bin/env python3
"""Measures readings on the tenth of the corpus that was set aside, through the example `score`.

usage: evaluate.py --corpus DIR --score target/release/examples/score [--show]

The figures are those of unseen text only for weights that were trained without `--all`.
"""
import argparse
import collections
import json
import subprocess
import tempfile

from teacher import corpus, is_held_out


def readings(score, texts):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/in", "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(text) + "\n" for text in texts))
        subprocess.run([score, "--input", f"{folder}/in", "--output", f"{folder}/out", "--columns", "full"], check=True)
        rows = [row.split("\t") for row in open(f"{folder}/out", encoding="utf-8").read().splitlines()]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def share(values):
    return f"{sum(values) / max(len(values), 1):.3f} of {len(values)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--score", required=True)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    lines = [line for line in corpus(options.corpus) if is_held_out(line.text)]
    right, danger, signs = collections.defaultdict(list), collections.defaultdict(list), []
    for line, reading in zip(lines, readings(options.score, [line.text for line in lines])):
        group = "en" if line.language == "en" else "others"
        fits = reading["primary"] in line.primaries
        for key in (group, line.language, line.kind):
            right[key].append(fits)
        if line.valence:
            signs.append((float(reading["valence"]) > 0) == (line.valence > 0))
        danger[group, line.safety].append(reading["safety"])
        if options.show and not fits:
            print(line.language, line.kind, reading["primary"], line.primaries, line.text)
    for key, values in sorted(right.items()):
        print(f"primary {key:20} {share(values)}")
    print(f"sign of valence {share(signs)}")
    for group in ("en", "others"):
        for level in ("crisis", "concern"):
            print(f"{level} found, {group}: {share([got != 'none' for got in danger[group, level]])}")
        print(f"false alarms, {group}: {share([got != 'none' for got in danger[group, 'none']])}")
        print(f"false crises, {group}: {share([got == 'crisis' for got in danger[group, 'none']])}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes data/vader_lexicon.tsv, data/vader_emoji.tsv and data/case.tsv from an installed vaderSentiment 3.3.2.

    python -m venv venv && venv/bin/pip install vaderSentiment==3.3.2
    venv/bin/python scripts/vader_data.py data

Run on CPython 3.12: `case.tsv` holds the letter case of its Unicode version (15.0).
"""
import string
import sys
import unicodedata
from pathlib import Path

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def lexicon(analyzer):
    """Keys that a lower-cased token can equal, with ten times their value."""
    rows = []
    for key, value in sorted(analyzer.lexicon.items()):
        if key == key.lower() and len(key.split()) == 1:
            assert key.isascii() and abs(value) <= 12 and float(round(value * 10)) / 10 == value, key
            rows.append(f"{key}\t{round(value * 10)}")
    return rows


def emoji(analyzer):
    """The entries that a single code point reaches."""
    return [f"{key}\t{text}" for key, text in sorted(analyzer.emojis.items()) if len(key) == 1]


def letter_case(char):
    if char.islower():
        return "l"
    if char.istitle() and not char.isupper():
        return "t"
    return "u" if char.isupper() else None


def case():
    """Runs of equal case above ASCII: first, last, step (1 or 2), class; hexadecimal."""
    cased = [(c, letter_case(chr(c))) for c in CODE_POINTS if c > 0x7F and letter_case(chr(c))]
    runs = []
    for code, kind in cased:
        for run in reversed(runs[-2:]):
            step = code - run[1]
            if run[3] == kind and (step == run[2] or (run[0] == run[1] and step in (1, 2))):
                run[1], run[2] = code, step
                break
        else:
            runs.append([code, code, 1, kind])
    rebuilt = {c: kind for first, last, step, kind in runs for c in range(first, last + 1, step)}
    assert rebuilt == dict(cased)
    return [f"{first:x}\t{last:x}\t{step}\t{kind}" for first, last, step, kind in runs]


def main(folder):
    assert unicodedata.unidata_version == "15.0.0", "run on CPython 3.12"
    analyzer = SentimentIntensityAnalyzer()
    # The Rust tokenizer rests on these facts.
    assert [c for c in CODE_POINTS if c > 0x7F and chr(c).lower().isascii()] == [0x212A]
    spaces = [c for c in CODE_POINTS if chr(c).isspace()]
    assert spaces == [*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
                      0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
    assert string.punctuation == "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum())
    for name, rows in [("vader_lexicon", lexicon(analyzer)), ("vader_emoji", emoji(analyzer)), ("case", case())]:
        Path(folder, f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        print(name, len(rows))


main(sys.argv[1])

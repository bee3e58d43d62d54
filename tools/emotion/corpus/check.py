#!/usr/bin/env python3
"""Check the corpus files beside this script and print what they hold.

Usage:
    python3 check.py                 check every LANG.tsv here, print the tables
    python3 check.py en de           only these languages
    python3 check.py --quiet         check only, no tables
    python3 check.py --readme        check, write the tables into README.md

The exit status is 1 when a line breaks the format that README.md describes.
Needs nothing but Python 3.
"""

import contextlib
import io
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent

LABELS = (
    "joy sadness anger fear surprise disgust love gratitude pride shame "
    "excitement calm neutral"
).split()
SAFETY = "none concern crisis".split()
KINDS = (
    # Lines that carry a feeling.
    "grave_news good_news worry loneliness heartbreak anger implied "
    "embarrassment guilt shame pride gratitude love disgust calm joy surprise "
    # Neutral lines.
    "neutral_greeting neutral_polite neutral_question neutral_help "
    "neutral_plan neutral_food neutral_homework neutral_names neutral_facts "
    "neutral_log neutral_code neutral_link "
    # Lines chosen for their form.
    "negation sarcasm slang lengthened emoji_only emoji_text caps hashtag long "
    "mixed idiom physical "
    # Acute danger.
    "suicide_explicit suicide_indirect self_harm overdose abuse_now "
    "medical_emergency other_at_risk "
    # Reason for care.
    "hopelessness burden past_harm past_abuse past_attempt not_coping "
    # Look like danger and are not.
    "safe_idiom safe_game safe_fiction safe_news safe_things safe_tech "
    "safe_minor_health safe_study safe_feeling"
).split()


def key(text):
    """The form in which two lines count as the same text."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def problems(line):
    """What is wrong with one line (without its line end)."""
    columns = line.split("\t")
    if len(columns) != 6:
        return [f"{len(columns)} columns instead of 6"]
    text, labels, valence, arousal, safety, kind = columns
    found = []
    if not text or text != text.strip():
        found.append("text empty or with blanks at an end")
    if any(unicodedata.category(c) == "Cc" for c in text):
        found.append("control character in the text")
    names = labels.split(",")
    found += [f"unknown label {n!r}" for n in names if n not in LABELS]
    if len(set(names)) != len(names):
        found.append("a label twice")
    if len(names) > 4:
        found.append("more than four labels")
    if valence not in "-3 -2 -1 0 1 2 3".split():
        found.append(f"valence {valence!r}")
    if arousal not in "0 1 2 3".split():
        found.append(f"arousal {arousal!r}")
    if safety not in SAFETY:
        found.append(f"safety {safety!r}")
    if kind not in KINDS:
        found.append(f"unknown kind {kind!r}")
    return found


def read(path):
    """The rows of a file and its format errors."""
    rows, errors, first = [], [], {}
    data = path.read_bytes()
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return rows, [f"{path.name}: not UTF-8: {error}"]
    if "\r" in content:
        errors.append(f"{path.name}: carriage return")
    if not content.endswith("\n"):
        errors.append(f"{path.name}: no line end at the end")
    # Not splitlines(): it would also split at U+2028 and the like.
    for number, line in enumerate(content.rstrip("\n").split("\n"), 1):
        wrong = problems(line)
        row = line.split("\t")
        same = first.setdefault(key(row[0]), number)
        if same != number:
            wrong.append(f"same text as line {same}")
        errors += [f"{path.name}:{number}: {w}" for w in wrong]
        if not wrong:
            rows.append(row)
    return rows, errors


def table(title, languages, counts, order):
    """A Markdown table: one row for each value, one column for a language."""
    print(f"| {title} | " + " | ".join(languages) + " | all |")
    print("|---|" + "--:|" * (len(languages) + 1))
    for value in order:
        numbers = [counts[language][value] for language in languages]
        print(f"| {value} | " + " | ".join(map(str, numbers + [sum(numbers)])) + " |")
    totals = [sum(counts[language].values()) for language in languages]
    print("| all | " + " | ".join(map(str, totals + [sum(totals)])) + " |")
    print()


def tables(rows):
    """Print how many lines each language has by label, safety and kind."""
    languages = list(rows)
    for title, column, order in (
        ("first label", 1, LABELS),
        ("safety", 4, SAFETY),
        ("kind", 5, KINDS),
    ):
        counts = {
            language: Counter(r[column].split(",")[0] for r in rows[language])
            for language in languages
        }
        table(title, languages, counts, order)


def write_readme(rows):
    """Replace the tables between the two marks in README.md."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        tables(rows)
    path = HERE / "README.md"
    start, end = "<!-- counts -->\n", "<!-- end of counts -->\n"
    before, rest = path.read_text(encoding="utf-8").split(start)
    after = rest.split(end)[1]
    new = before + start + "\n" + out.getvalue() + end + after
    path.write_text(new, encoding="utf-8")


def main(arguments):
    options = {a for a in arguments if a.startswith("--")}
    if options - {"--quiet", "--readme"}:
        print(__doc__, file=sys.stderr)
        return 2
    wanted = [a for a in arguments if a not in options]
    paths = [HERE / f"{w}.tsv" for w in wanted] or sorted(HERE.glob("*.tsv"))
    rows, errors = {}, []
    for path in paths:
        if not path.exists():
            errors.append(f"{path.name}: no such file")
            continue
        rows[path.stem], wrong = read(path)
        errors += wrong
    if "--readme" in options:
        write_readme(rows)
    elif "--quiet" not in options:
        tables(rows)
    for error in errors:
        print(error, file=sys.stderr)
    total = sum(map(len, rows.values()))
    print(f"{total} good lines, {len(errors)} errors", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

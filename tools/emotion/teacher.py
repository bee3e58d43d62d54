#!/usr/bin/env python3
"""Writes what the multilingual model is trained on: soft targets of a teacher, blended with people's labels.

usage: teacher.py --corpus DIR --goemotions DIR --xed DIR --cache DIR --output targets.tsv [--known] [--words DIR]

The teacher: networks (network.py) on embeddings of multilingual-e5-small, fitted to the corpus.
Texts of the corpus whose SHA-1 starts with a digit of HELD_OUT are not written; `evaluate.py` measures on them.
`--known` takes the texts whose embeddings are in the cache and computes none. Equal inputs give equal bytes.
"""
import argparse
import glob
import os

import numpy

from embeddings import Embeddings, digest
from network import Network

PRIMARY = "joy sadness anger fear surprise disgust love gratitude pride shame excitement calm neutral".split()
LATIN = "en de es fr pt it nl pl tr id vi".split()
LANGUAGES = LATIN + "ru ar hi zh ja ko th".split()
# GoEmotions label ids -> primary emotion.
GOEMOTIONS = ("pride joy anger anger joy love neutral neutral excitement sadness anger disgust shame excitement fear "
              "gratitude sadness joy love fear joy pride surprise calm shame sadness surprise neutral").split()
XED = {"anger", "disgust", "fear", "joy", "sadness", "surprise"}
FOLDS = 5
# Kinds of lines of the corpus -> which danger: to oneself, by somebody else, to somebody's health.
DANGER = dict(suicide_explicit=0, suicide_indirect=0, self_harm=0, overdose=0, hopelessness=0, burden=0, past_harm=0,
              past_attempt=0, not_coping=0, abuse_now=1, past_abuse=1, medical_emergency=2)


def is_held_out(text):
    """One text in ten."""
    return int(digest(text)[:8], 16) % 10 == 0


class Line:
    """A line of the corpus."""

    def __init__(self, row, language):
        text, primaries, valence, arousal, safety, self.kind = row.rstrip("\n").split("\t")
        self.text = text.replace("\\n", "\n")
        self.language = language
        self.primaries = primaries.split(",")
        self.valence, self.arousal = int(valence) / 3, int(arousal) / 3
        self.safety = safety
        self.numbers = [self.valence, self.arousal, float(safety != "none"), float(safety == "crisis")]
        self.shares = numpy.zeros(len(PRIMARY), "f4")
        first = 0.7 if len(self.primaries) > 1 else 1.0
        self.shares[PRIMARY.index(self.primaries[0])] = first
        for other in self.primaries[1:]:
            self.shares[PRIMARY.index(other)] += (1 - first) / (len(self.primaries) - 1)


def corpus(folder):
    lines = {}
    for path in sorted(glob.glob(f"{folder}/*.tsv")):
        language = os.path.basename(path)[:2]
        for row in open(path, encoding="utf-8"):
            if row.count("\t") == 5:
                line = Line(row, language)
                lines.setdefault(line.text.lower(), line)
    return list(lines.values())


class Teacher:
    """The mean of networks that differ in their seed."""

    def __init__(self, rows, lines, seeds):
        shares = numpy.stack([line.shares for line in lines])
        numbers = numpy.array([line.numbers for line in lines], "f4")
        self.networks = [Network(rows, shares, numbers, seed=seed) for seed in seeds]

    def targets(self, rows):
        """Shares, and valence, arousal, concern, crisis of each row."""
        read = [network.read(rows) for network in self.networks]
        return numpy.mean([shares for shares, _ in read], 0), numpy.mean([numbers for _, numbers in read], 0)


def out_of_fold(rows, lines):
    """The targets of each line by a teacher that has not seen it."""
    fold = numpy.array([int(digest(line.text)[8:16], 16) % FOLDS for line in lines])
    shares, numbers = numpy.zeros((len(lines), len(PRIMARY))), numpy.zeros((len(lines), 4))
    for number in range(FOLDS):
        outside = [line for line, its in zip(lines, fold) if its != number]
        teacher = Teacher(rows[fold != number], outside, seeds=(1, 2))
        shares[fold == number], numbers[fold == number] = teacher.targets(rows[fold == number])
    return shares, numbers


def goemotions(folder):
    """Texts with shares of the primary emotions that people saw."""
    for row in open(f"{folder}/train.tsv", encoding="utf-8"):
        text, ids = row.split("\t")[:2]
        shares = numpy.zeros(len(PRIMARY))
        for label in ids.split(","):
            shares[PRIMARY.index(GOEMOTIONS[int(label)])] += 1 / (1 + ids.count(","))
        yield text, "en", shares


def xed(folder):
    """Texts with shares of the primary emotions that people saw; none where they saw only others."""
    for path in sorted(glob.glob(f"{folder}/*.tsv")):
        language = os.path.basename(path)[:2]
        for row in open(path, encoding="utf-8"):
            text, names = row.rstrip("\n").split("\t")[:2]
            names = [name for name in names.split(",") if name in XED or name == "neutral"]
            shares = numpy.zeros(len(PRIMARY))
            for name in names:
                shares[PRIMARY.index(name)] += 1 / len(names)
            yield text, language, shares if names else None


def write(file, weight, language, shares, numbers, text, danger=None):
    number = lambda value: "-" if value is None else f"{value:.4f}"
    shares = "-" if shares is None else ",".join(f"{share:.4f}" for share in shares)
    columns = [f"{weight:.3f}", language or "-", shares, *map(number, numbers), "-" if danger is None else str(danger),
               text.replace("\n", "\\n").replace("\t", " ")]
    file.write("\t".join(columns) + "\n")


def variants(text):
    """As people type it in haste: without capitals, marks at the end, accents."""
    import unicodedata

    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    plain = plain.replace("đ", "d").replace("ı", "i").replace("ł", "l")
    short = text.lower().rstrip(".!? ")
    for variant in (short, unicodedata.normalize("NFC", plain)):
        if variant and variant != text:
            yield variant


def main():
    parser = argparse.ArgumentParser()
    for name in ("corpus", "goemotions", "xed", "cache", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--words")
    parser.add_argument("--all", action="store_true", help="write held-out lines as well")
    parser.add_argument("--gold-corpus", type=float, default=0.6)
    parser.add_argument("--gold-goemotions", type=float, default=0.3)
    parser.add_argument("--gold-xed", type=float, default=0.4)
    parser.add_argument("--weight-corpus", type=float, default=3.0)
    parser.add_argument("--weight-other", type=float, default=0.5)
    parser.add_argument("--weight-words", type=float, default=0.3)
    options = parser.parse_args()

    embeddings = Embeddings(options.cache)
    lines = [line for line in corpus(options.corpus) if options.all or not is_held_out(line.text)]
    if options.known:
        lines = [line for line, known in zip(lines, embeddings.known([line.text for line in lines])) if known]
    rows = embeddings.of([line.text for line in lines])
    teacher = Teacher(rows, lines, seeds=(1, 2, 3))
    seen, numbers = out_of_fold(rows, lines)
    right = numpy.mean([PRIMARY[row.argmax()] in line.primaries for row, line in zip(seen, lines)])
    print(f"corpus: {len(lines)} lines; the teacher, out of fold, reads {right:.3f} rightly")
    written = 0
    with open(options.output, "w", encoding="utf-8") as file:
        for line, shares, number in zip(lines, seen, numbers):
            gold = options.gold_corpus
            shares = gold * line.shares + (1 - gold) * shares
            language = line.language if line.language in LATIN else None
            own = [gold * a + (1 - gold) * b for a, b in zip(line.numbers[:2], number)] + line.numbers[2:]
            danger = DANGER.get(line.kind) if line.safety != "none" else None
            write(file, options.weight_corpus, language, shares, own, line.text, danger)
            for variant in variants(line.text):
                write(file, options.weight_corpus / 3, language, shares, own, variant, danger)
            written += 1
        for source, gold in ((goemotions(options.goemotions), options.gold_goemotions), (xed(options.xed), options.gold_xed)):
            batch = list(source)
            known = embeddings.known([text for text, _, _ in batch])
            for text, language, _ in (item for item, its in zip(batch, known) if not its):
                if language not in LANGUAGES:
                    write(file, options.weight_other, language, None, [None] * 4, text)
            batch = [item for item, its in zip(batch, known) if its]
            soft, numbers = teacher.targets(embeddings.of([text for text, _, _ in batch]))
            for (text, language, shares), its, number in zip(batch, soft, numbers):
                shares = its if shares is None else gold * shares + (1 - gold) * its
                number = list(number[:2]) + [min(number[2], 0.3), min(number[3], 0.1)]
                write(file, options.weight_other, language if language in LATIN else None, shares, number, text)
                written += 1
        for path in sorted(glob.glob(f"{options.words}/*.txt")) if options.words else []:
            language = os.path.basename(path)[:2]
            words = open(path, encoding="utf-8").read().split("\n")[:-1]
            words = [word for word, its in zip(words, embeddings.known(words)) if its] if options.known else words
            if not words:
                continue
            soft, numbers = teacher.targets(embeddings.of(words))
            for word, shares, number in zip(words, soft, numbers):
                number = list(number[:2]) + [None, None]
                write(file, options.weight_words, language if language in LATIN else None, shares, number, word)
                written += 1
    print(f"{written} texts")


if __name__ == "__main__":
    main()

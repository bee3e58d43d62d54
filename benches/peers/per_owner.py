"""Searches within one owner on Chroma `where`, sqlite-vec partition keys and LanceDB prefilters.

    pip install chromadb sqlite-vec apsw lancedb numpy
    python per_owner.py [--owners 1000] [--each 50] [--dim 384] [--queries 200] [--only chroma,sqlite-vec,lancedb]

Random unit vectors, one query at a time, one process. Prints p50 and p99 in microseconds and recall@10 against
an exact search in numpy. The same sizes on our side: `cargo run --release --example owners -- --dim 384`.
"""

import argparse
import tempfile
import time

import numpy as np


def chroma(vectors, owners, folder):
    import chromadb

    collection = chromadb.PersistentClient(folder).create_collection("memories", metadata={"hnsw:space": "cosine"})
    for start in range(0, len(vectors), 5000):
        rows = range(start, min(start + 5000, len(vectors)))
        collection.add(
            ids=[str(row) for row in rows],
            embeddings=vectors[rows.start : rows.stop].tolist(),
            metadatas=[{"owner": int(owners[row])} for row in rows],
        )

    def search(query, owner):
        found = collection.query(query_embeddings=[query.tolist()], n_results=10, where={"owner": owner}, include=[])
        return [int(row) for row in found["ids"][0]]

    return search


def sqlite_vec(vectors, owners, folder):
    # Python's own sqlite3 is often built without extensions.
    import apsw
    import sqlite_vec as extension

    database = apsw.Connection(f"{folder}/vec.db")
    database.enable_load_extension(True)
    database.load_extension(extension.loadable_path())
    database.execute(
        "create virtual table memories using vec0("
        f"owner integer partition key, embedding float[{vectors.shape[1]}] distance_metric=cosine)"
    )
    rows = ((row + 1, int(owners[row]), vectors[row].tobytes()) for row in range(len(vectors)))
    with database:
        database.executemany("insert into memories(rowid, owner, embedding) values (?, ?, ?)", rows)

    def search(query, owner):
        sql = "select rowid from memories where owner = ? and embedding match ? and k = 10 order by distance"
        return [row - 1 for (row,) in database.execute(sql, (owner, query.tobytes()))]

    return search


def lancedb(vectors, owners, folder):
    import lancedb as lance

    rows = [{"id": row, "owner": int(owners[row]), "vector": vectors[row]} for row in range(len(vectors))]
    table = lance.connect(folder).create_table("memories", rows)
    table.create_scalar_index("owner")

    def search(query, owner):
        found = table.search(query).metric("cosine").where(f"owner = {owner}", prefilter=True).limit(10)
        return [row["id"] for row in found.select(["id", "_distance"]).to_list()]

    return search


PEERS = {"chroma": chroma, "sqlite-vec": sqlite_vec, "lancedb": lancedb}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--owners", type=int, default=1000)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--only", default=",".join(PEERS))
    args = parser.parse_args()
    random = np.random.default_rng(1)
    count = args.owners * args.each
    vectors = random.standard_normal((count, args.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owners = np.arange(count) % args.owners
    queries = random.standard_normal((args.queries, args.dim), dtype=np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    asked = random.integers(0, args.owners, args.queries)
    print(f"{args.owners} owners of {args.each}, {args.dim} dimensions, {args.queries} queries")
    for name in args.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            search = PEERS[name](vectors, owners, folder)
            built = time.perf_counter() - started
            latencies, found_right, expected = [], 0, 0
            for query, owner in zip(queries, asked.tolist()):
                started = time.perf_counter()
                found = search(query, owner)
                latencies.append(time.perf_counter() - started)
                rows = np.nonzero(owners == owner)[0]
                truth = set(rows[np.argsort(-(vectors[rows] @ query))[:10]].tolist())
                found_right += len(truth & set(found))
                expected += len(truth)
            p50, p99 = np.percentile(np.array(latencies) * 1e6, [50, 99])
            recall = found_right / expected
            print(f"{name:10}  p50 {p50:9.0f} us  p99 {p99:9.0f} us  recall@10 {recall:.3f}  built in {built:.1f} s", flush=True)


if __name__ == "__main__":
    main()

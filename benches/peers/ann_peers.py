#!/usr/bin/env python3
"""Recall and speed of hnswlib, usearch and faiss on the files that the example `ann` takes.

    pip install numpy hnswlib usearch faiss-cpu
    python benches/peers/ann_peers.py --base base.f32 --queries queries.f32 --truth truth.i32 --dim 384

Prints the same columns as `ann`, one query at a time on each of `--threads` threads. With `--ours PROGRAM` it
first runs that program (a built `ann`) on the same files, and again at the end: on a machine that others use,
the two runs show how much it changed meanwhile. With `--plot FILE.svg` it draws recall against queries a second.
"""

import argparse
import json
import math
import os
import subprocess
import threading
import time

# Before faiss is loaded: what `omp_set_num_threads` says is for the thread that says it, not for those that ask.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import faiss
import hnswlib
import numpy as np
import usearch.index

FAISS = {
    "Flat": [None],
    "HNSW16,Flat": [("efSearch", ef) for ef in (16, 32, 64, 96, 128, 256, 512)],
    "HNSW32,SQ8": [("efSearch", ef) for ef in (16, 32, 64, 96, 128, 256, 512)],
    "PQ64x4fs,RFlat": [("k_factor_rf", k) for k in (5, 10, 20, 40, 80)],
    "PQ96x4fs,RFlat": [("k_factor_rf", k) for k in (2, 4, 8, 12, 20, 40, 80)],
    "PQ192x4fs,RFlat": [("k_factor_rf", k) for k in (1, 2, 4, 8, 16, 32)],
    "IVF512,PQ96x4fs,RFlat": [
        ("k_factor_rf,nprobe", pair) for pair in ((10, 48), (10, 96), (20, 128), (20, 192), (40, 256), (40, 384))
    ],
}


def main():
    args = arguments()
    faiss.omp_set_num_threads(args.threads)
    base = np.fromfile(args.base, "<f4").reshape(-1, args.dim)
    queries = np.fromfile(args.queries, "<f4").reshape(-1, args.dim)
    truth = np.fromfile(args.truth, "<i4").reshape(-1, 100)[:, : args.k]
    print(
        f"{'index':<24} {'setting':<28} {'recall':>7} {'queries/s':>10} {'q/CPU s':>10} {'p50 us':>9} {'p99 us':>9}"
        f" {'build s':>8}",
        flush=True,
    )
    if args.ours:
        ours(args)
    run = Run(args, base, queries, truth)
    for name, peer in (("hnswlib", run.hnswlib), ("usearch", run.usearch), ("faiss", run.faiss)):
        if name in args.peers:
            peer()
    if "faiss" in args.peers:
        run.call_overhead()
    if args.ours:
        ours(args)
    if args.plot:
        plot(args.plot)


class Run:
    def __init__(self, args, base, queries, truth):
        self.args, self.base, self.queries, self.truth = args, base, queries, truth

    def hnswlib(self):
        start = time.perf_counter()
        index = hnswlib.Index("ip", self.args.dim)
        index.init_index(len(self.base), M=16, ef_construction=200, random_seed=1)
        index.set_num_threads(self.args.threads)
        index.add_items(self.base)
        build = time.perf_counter() - start
        index.set_num_threads(1)
        for ef in (16, 32, 64, 96, 128, 256, 512):
            index.set_ef(ef)
            self.measure("hnswlib M=16", f"ef {ef}", build, lambda q: index.knn_query(q, self.args.k)[0][0])

    def usearch(self):
        start = time.perf_counter()
        index = usearch.index.Index(
            ndim=self.args.dim, metric="ip", dtype="bf16", connectivity=16, expansion_add=200
        )
        index.add(np.arange(len(self.base)), self.base, threads=self.args.threads)
        build = time.perf_counter() - start
        for ef in (16, 32, 64, 96, 128, 256, 512):
            index.expansion_search = ef
            self.measure(
                "usearch bf16 M=16", f"ef {ef}", build, lambda q: index.search(q[0], self.args.k, threads=1).keys
            )

    def faiss(self):
        for description in self.args.faiss:
            settings = FAISS[description]
            faiss.omp_set_num_threads(self.args.threads)
            start = time.perf_counter()
            index = faiss.index_factory(self.args.dim, description, faiss.METRIC_INNER_PRODUCT)
            if "HNSW" in description:
                faiss.ParameterSpace().set_index_parameter(index, "efConstruction", 200)
            index.train(self.base)
            index.add(self.base)
            build = time.perf_counter() - start
            faiss.omp_set_num_threads(1)
            space = faiss.ParameterSpace()
            for setting in settings:
                if setting is not None:
                    names, values = setting
                    values = values if isinstance(values, tuple) else (values,)
                    for name, value in zip(names.split(","), values):
                        space.set_index_parameter(index, name, value)
                text = "-" if setting is None else f"{setting[0]} {setting[1]}"
                self.measure(f"faiss {description}", text, build, lambda q: index.search(q, self.args.k)[1][0])

    def call_overhead(self):
        index = faiss.index_factory(self.args.dim, "Flat", faiss.METRIC_INNER_PRODUCT)
        index.add(self.base[:10])
        self.measure("(one call from Python)", "faiss Flat of 10", 0.0, lambda q: index.search(q, self.args.k)[1][0])

    def measure(self, name, setting, build, search):
        rows = [self.queries[i : i + 1] for i in range(len(self.queries))]
        found = [search(row) for row in rows]
        hits = sum(len(set(map(int, f)) & set(map(int, t))) for f, t in zip(found, self.truth))
        latencies = []

        def ask(first):
            own, at = [], first
            while time.perf_counter() < end:
                before = time.perf_counter()
                search(rows[at % len(rows)])
                own.append(time.perf_counter() - before)
                at += 1
            latencies.extend(own)

        cpu, start = time.process_time(), time.perf_counter()
        end = start + self.args.seconds
        threads = [threading.Thread(target=ask, args=(97 * t,)) for t in range(self.args.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
        row(
            name,
            setting,
            hits / self.truth.size,
            len(latencies) / elapsed,
            len(latencies) / cpu,
            np.quantile(latencies, 0.5) * 1e6,
            np.quantile(latencies, 0.99) * 1e6,
            build,
        )


def ours(args):
    command = [args.ours, "--base", args.base, "--queries", args.queries, "--truth", args.truth]
    command += ["--dim", str(args.dim), "--k", str(args.k), "--threads", str(args.threads)]
    command += ["--seconds", str(args.seconds), "--json", *args.ours_args.split()]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        r = json.loads(line)
        row(
            "ours " + r["index"],
            r["setting"],
            r["recall"],
            r["queries_per_second"],
            r["per_cpu_second"],
            r["p50_us"],
            r["p99_us"],
            r["build_seconds"],
        )


CURVES = {}


def row(name, setting, recall, rate, cpu_rate, p50, p99, build):
    # The second run of ours is for comparison with the first, not for the plot.
    points = CURVES.setdefault(name, {})
    points.setdefault(setting, (recall, rate))
    print(
        f"{name:<24} {setting:<28} {recall:7.4f} {rate:10.0f} {cpu_rate:10.0f} {p50:9.1f} {p99:9.1f} {build:8.2f}",
        flush=True,
    )


COLOURS = [
    "#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#000000", "#98df8a",
]
NINES = [0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995]


def plot(path):
    """Recall from 0.9 on, by what is missed; queries a second by tens; both on a logarithmic scale."""
    left, top, width, height = 70, 30, 640, 460
    shown = {name: sorted(p for p in points.values() if p[0] >= NINES[0]) for name, points in CURVES.items()}
    shown = {name: points for name, points in shown.items() if points}
    rates = [rate for points in shown.values() for _, rate in points]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))

    def x(recall):
        missed = math.log10(max(1 - recall, 1 - NINES[-1]))
        return left + width * (math.log10(1 - NINES[0]) - missed) / math.log10((1 - NINES[0]) / (1 - NINES[-1]))

    def y(rate):
        return top + height * (high - math.log10(rate)) / (high - low)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 230}" height="{top + height + 50}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    line = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#ddd"/>'
    text = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    for recall in NINES:
        out.append(line.format(x(recall), top, x(recall), top + height))
        out.append(text.format(x(recall), top + height + 16, "middle", recall if recall < NINES[-1] else "1"))
    for power in range(low, high + 1):
        out.append(line.format(left, y(10**power), left + width, y(10**power)))
        out.append(text.format(left - 6, y(10**power) + 4, "end", 10**power))
    out.append(text.format(left + width / 2, top + height + 38, "middle", "recall"))
    out.append(text.format(left, top - 14, "middle", "queries/s"))
    for at, (name, points) in enumerate(shown.items()):
        colour = COLOURS[at % len(COLOURS)]
        path_points = " ".join(f"{x(recall):.1f},{y(rate):.1f}" for recall, rate in points)
        out.append(f'<polyline points="{path_points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(recall):.1f}" cy="{y(rate):.1f}" r="3" fill="{colour}"/>' for recall, rate in points]
        out.append(f'<rect x="{left + width + 15}" y="{top + 20 * at}" width="12" height="12" fill="{colour}"/>')
        out.append(text.format(left + width + 33, top + 20 * at + 10, "start", name))
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--peers", nargs="*", default=["hnswlib", "usearch", "faiss"])
    parser.add_argument("--faiss", nargs="*", default=list(FAISS), choices=list(FAISS), help="which of faiss's")
    parser.add_argument("--ours", help="a built `ann` to run on the same files, first and last")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw recall against queries a second into this file")
    parser.add_argument("--ours-args", default="--index flat --index ivf", help="what to ask of it")
    return parser.parse_args()


if __name__ == "__main__":
    main()

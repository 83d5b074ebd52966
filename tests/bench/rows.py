# SPDX-License-Identifier: MIT
"""The rows of the benchmark tables: what is run, how its cost is read, what it needs.

Groups: cells (fixed and mixed sizes, one cell each), own (historic shapes, batches, threads),
programs (real ones), mimalloc-bench (from a build that the user names).
"""
import dataclasses
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
RING_SIZES = (128, 256, 512, 1024, 2048, 8192, 32768)


def stop(message):
    """Ends the program: usage or environment error."""
    print("run.py: " + message, file=sys.stderr)
    sys.exit(2)


@dataclasses.dataclass
class Row:
    name: str
    group: str
    argv: list
    unit: str = "s"  # s: wall seconds; cpu: seconds of processor time; rate: read from the output, more is better
    rate: str = ""  # regular expression whose first group is the rate
    work: float = 1.0  # a rate enters the time tables as the seconds for this much work
    stdin: str = os.devnull
    env: dict = dataclasses.field(default_factory=dict)
    stable: bool = False  # its output must not depend on the allocator
    own: bool = False  # prints its own proof
    server: list = None  # measured instead of argv, which is then its client
    needs: tuple = ()

    def missing(self):
        """The first thing this row needs and the machine lacks, or None."""
        for need in self.needs or ((self.server or self.argv)[0],):
            if not (os.path.exists(need) if os.sep in need else shutil.which(need)):
                return need
        return None


def _own(build, group, name, program, ms, **options):
    argv = [os.path.join(build, program), "--ms", str(ms)]
    for key, value in options.items():
        argv += ["--" + key, str(value)]
    return Row(name, group, argv, unit="rate", rate=r"mops=([\d.]+)", work=20, own=True)


def cells(build, ms):
    """Speed of one shape and one size range each, with one and with two threads."""
    for threads in (1, 2):
        def cell(program, mode, low, high, slots):
            sizes = str(low) if low == high else "%d-%d" % (low, high)
            name = "%s %s x%d t%d" % (mode, sizes, slots, threads)
            return _own(build, "cells", name, program, ms, mode=mode, min=low, max=high, slots=slots, threads=threads)
        for size in (16, 64, 256, 1024, 8192):
            yield cell("patterns", "pair", size, size, 1)
        for slots in (256, 4096):
            for size in RING_SIZES:
                yield cell("patterns", "ring", size, size, slots)
            yield cell("patterns", "ring", 16, 1024, slots)
        for mode in ("fifo", "lifo", "shuffle"):
            yield cell("patterns", mode, 16, 512, 1000)
        yield cell("patterns", "calloc", 16, 1024, 256)
        if threads > 1:
            yield cell("exchange", "remote", 16, 512, 1)
            yield cell("exchange", "shared", 16, 512, 4096)


def own(build, ms):
    """The shapes of the historic benchmarks, large batches, and threads that hand blocks over."""
    for size in (128, 256, 257, 512, 1023, 1024, 1025, 2048):
        yield _own(build, "own", "fixed_size %d" % size, "fixed_size", ms, size=size)
    yield _own(build, "own", "random_mixed", "random_mixed", ms)
    yield _own(build, "own", "churn", "churn", ms)
    for mode in ("fifo", "lifo", "shuffle"):
        yield _own(build, "own", mode + " batch", "patterns", ms, mode=mode, min=16, max=512, slots=20000)
    yield _own(build, "own", "ring big", "patterns", ms, mode="ring", min=16, max=1024, slots=400000)
    yield _own(build, "own", "remote", "exchange", ms, mode="remote", min=16, max=256)
    yield _own(build, "own", "shared", "exchange", ms, mode="shared", min=16, max=512, slots=20000)
    yield _own(build, "own", "realloc", "patterns", ms, mode="realloc", min=16, max=100000, slots=64)


def programs(build, work):
    """Real programs. What depends on the allocator in their output is an error."""
    def script(name):
        return os.path.join(PROGRAMS, name)

    def add(name, argv, **more):
        return Row(name, "programs", argv, stable=True, **more)
    python = os.path.realpath(sys.executable)  # past any wrapper script
    socket = os.path.join(work, "redis.sock")
    yield add("lua", [shutil.which("lua5.4") or "lua", script("tables.lua")])
    yield add("python", [python, script("objects.py")], env={"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "1"})
    yield add("sqlite", ["sqlite3", ":memory:"], stdin=script("queries.sql"))
    yield add("perl", ["perl", script("text.pl")], env={"PERL_HASH_SEED": "1"})
    yield add("g++", ["g++", "-std=c++17", "-O1", "-S", "-o", os.devnull, script("containers.cc")])
    yield add("c++", [os.path.join(build, "containers")])
    yield add("node", ["node", script("objects.js")])
    yield Row("redis", "programs", ["redis-benchmark", "-s", socket, "-r", "100000", "-n", "100000", "-P", "16", "-q",
                                    "-t", "set,get,lpush,lpop,sadd,hset,zadd"],
              server=["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
                      "--dir", work], needs=("redis-server", "redis-benchmark", "redis-cli"))


def _find(root, name, executable):
    for folder, below, files in os.walk(root):
        below[:] = [b for b in below if b not in (".git", "CMakeFiles")]
        path = os.path.join(folder, name)
        if name in files and (not executable or os.access(path, os.X_OK)):
            return path
    return None


def mimalloc_bench(root):
    """Programs of a built mimalloc-bench below `root`, with the arguments its own bench.sh uses or shorter ones."""
    cfrac = _find(root, "cfrac", True)
    if not cfrac:
        stop("no built mimalloc-bench below %s (looked for an executable called cfrac)" % root)
    bins = os.path.dirname(cfrac)
    table = _find(root, "largest.espresso", False)
    nbody = os.path.join(os.path.dirname(os.path.dirname(table)), "barnes", "input") if table else ""

    def add(name, program, *arguments, **more):
        return Row(name, "mimalloc-bench", [os.path.join(bins, program), *map(str, arguments)], **more)
    yield add("cfrac", "cfrac", "17545186520507317056371138836327483792", stable=True)
    if table:
        yield add("espresso", "espresso", "-s", table)
    if os.path.exists(nbody):
        yield add("barnes", "barnes", stdin=nbody)
    yield add("alloc-test1", "alloc-test", 1)
    yield add("alloc-testN", "alloc-test", 2)
    for program in ("larson", "larson-sized"):
        yield add(program + "N", program, 1, 8, 1000, 5000, 100, 4141, 2, unit="rate",
                  rate=r"Throughput\s*=\s*(\d+)", work=2e7)
    yield add("xmalloc-testN", "xmalloc-test", "-w", 2, "-t", 1, "-s", 64, unit="rate",
              rate=r"free/sec: ([\d.]+) M", work=20)
    yield add("cache-scratch1", "cache-scratch", 1, 1000, 1, 1000000, 2)
    yield add("cache-scratchN", "cache-scratch", 2, 1000, 1, 2000000, 2)
    yield add("cache-thrash1", "cache-thrash", 1, 1000, 1, 1000000, 2)
    yield add("cache-thrashN", "cache-thrash", 2, 1000, 1, 2000000, 2)
    yield add("malloc-large", "malloc-large")
    yield add("mleak10", "mleak", 5, unit="cpu")
    yield add("mleak100", "mleak", 50, unit="cpu")
    yield add("mstressN", "mstress", 2, 50, 200)
    yield add("rptestN", "rptest", 2, 0, 1, 2, 4000, 1000, 100, 8, 16000, unit="rate",
              rate=r"(\d+) memory ops/CPU", work=1e7)
    yield add("glibc-simple", "glibc-simple")
    yield add("glibc-thread", "glibc-thread", 2, unit="rate", rate=r"(\d+) iterations", work=2e8)

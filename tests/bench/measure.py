# SPDX-License-Identifier: MIT
"""One run of one row under one allocator: what it cost, and who served it.

Our own programs print which object their malloc is and whether glibc's heap grew. Other programs get one
unmeasured run per allocator in which the dynamic linker lists its bindings (LD_DEBUG=bindings): every malloc
and free of every process of the run has to be bound to the allocator under test.
"""
import dataclasses
import functools
import glob
import hashlib
import os
import re
import signal
import socket
import subprocess
import time

FAMILY = ("malloc", "calloc", "realloc", "free")
BINDING = re.compile(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: normal symbol [`'](%s)'" % "|".join(FAMILY))


@dataclasses.dataclass
class Allocator:
    name: str
    path: str  # of the shared object; libc's own for the system's
    is_libc: bool = False
    preload: str = None  # instead of the path
    prefix: tuple = ()  # a command that runs the row's own
    env: dict = dataclasses.field(default_factory=dict)

    @property
    def real(self):
        return os.path.realpath(self.path)

    @functools.cached_property
    def uses_libc(self):
        """Whether its blocks are glibc's: glibc itself, or what says so of itself (rounding.c)."""
        listed = subprocess.run(["nm", "-D", "--defined-only", self.real], capture_output=True, text=True, check=False)
        return self.is_libc or "bench_blocks_are_glibcs" in listed.stdout


class Failure(Exception):
    """A run that does not count, and why."""


def clean_environment(row):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("LD_", "HAKMEM_", "MALLOC_", "MIMALLOC_", "GLIBC_TUNABLES"))}
    env.update((k, v) for k, v in os.environ.items() if k.startswith("HAKMEM_"))
    return dict(env, LC_ALL="C", **row.env)


def read_fields(text):
    return dict(field.split("=", 1) for field in text.split() if "=" in field)


class Runner:
    """Runs rows; `build` holds the launcher, `work` takes outputs and sockets."""

    def __init__(self, build, work, limit, by_cpu=False):
        self.launch = os.path.join(build, "launch")
        self.work = work
        self.limit = limit
        self.by_cpu = by_cpu
        self.witnessed = {}

    def once(self, row, allocator):
        """Costs of one measured run: cost, rss_kib, minflt, served_by, digest. Raises Failure."""
        served = None if row.own else self.witness(row, allocator)
        result, output = self.run(row, allocator)
        result["served_by"] = served or self.own_proof(output, allocator)
        if row.stable:
            result["digest"] = hashlib.sha1(output.encode()).hexdigest()
        result["cost"] = self._cost(row, result, output)
        return result

    def _cost(self, row, result, output):
        cpu = result["user"] + result["sys"]
        if row.unit == "cpu":
            return cpu
        if row.unit == "s":
            return cpu if self.by_cpu else result["wall"]
        found = re.search("cpu_" + row.rate if row.own and self.by_cpu else row.rate, output)
        if not found or float(found.group(1)) <= 0:
            raise Failure("no rate in its output")
        cost = row.work / float(found.group(1))
        return cost * cpu / result["wall"] if self.by_cpu and not row.own else cost

    def run(self, row, allocator, **variables):
        """Costs and output of one run, whoever serves it. Raises Failure."""
        env = dict(clean_environment(row), **allocator.env, **variables)
        return self._server(row, allocator, env) if row.server else self._command(row, allocator, env)

    def _launcher(self, report, allocator):
        return [*allocator.prefix, self.launch, report, allocator.preload or allocator.path]

    def _command(self, row, allocator, env):
        report = os.path.join(self.work, "report")
        argv = [*self._launcher(report, allocator), *row.argv]
        with open(row.stdin, "rb") as stdin:
            child = subprocess.Popen(argv, env=env, cwd=self.work, stdin=stdin, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
            try:
                output, errors = child.communicate(timeout=self.limit)
            except subprocess.TimeoutExpired as late:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
                raise Failure("no result within %d s" % self.limit) from late
        if "cannot be preloaded" in errors:
            raise Failure("%s cannot be preloaded" % allocator.path)
        return self._costs(report, errors), output

    @staticmethod
    def _costs(report, stderr):
        with open(report, encoding="ascii") as f:
            costs = {k: float(v) for k, v in read_fields(f.read()).items()}
        if costs["status"]:
            raise Failure("exit status %d: %s" % (costs["status"], stderr.strip()[-200:].replace("\n", " | ")))
        return costs

    def _server(self, row, allocator, env):
        """The client's wall time; the server's memory. Only the server runs on the allocator."""
        report = os.path.join(self.work, "report")
        at = row.argv[row.argv.index("-s") + 1]
        if os.path.exists(at):
            os.unlink(at)
        with open(os.path.join(self.work, "server.log"), "w+", encoding="utf8", errors="replace") as log:
            server = subprocess.Popen([*self._launcher(report, allocator), *row.server], env=env,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                self._await_socket(server, at)
                began = time.monotonic()
                client = subprocess.run(row.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        timeout=self.limit, check=False)
                wall = time.monotonic() - began
                subprocess.run(["redis-cli", "-s", at, "shutdown", "nosave"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=self.limit, check=False)
                server.wait(timeout=self.limit)
            except subprocess.TimeoutExpired as late:
                raise Failure("no answer within %d s" % self.limit) from late
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()
            log.seek(0)
            costs = self._costs(report, log.read())
        if client.returncode:
            raise Failure("client failed: %s" % client.stdout.strip()[-200:])
        return dict(costs, wall=wall), client.stdout

    def _await_socket(self, server, at):
        limit = time.monotonic() + self.limit
        while time.monotonic() < limit and server.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(at)
                    return
                except OSError:
                    time.sleep(0.01)  # nothing tells when another process begins to listen
        raise Failure("the server did not start")

    @staticmethod
    def own_proof(output, allocator):
        """What our own program said of itself has to match the allocator that was asked for."""
        said = read_fields(output)
        served, grown = said.get("served_by", "nobody"), int(said.get("glibc_bytes", "0"))
        if served != allocator.real:
            raise Failure("served by %s instead of %s" % (served, allocator.real))
        if (grown == 0) == allocator.uses_libc:
            raise Failure("glibc's heap grew by %d bytes under %s" % (grown, allocator.name))
        return served

    def witness(self, row, allocator):
        """The dynamic linker's statement for this row and allocator; asked for once."""
        key = (row.name, allocator.path)
        if key not in self.witnessed:
            try:
                self.witnessed[key] = self._witness(row, allocator)
            except Failure as failure:
                self.witnessed[key] = failure
        if isinstance(self.witnessed[key], Failure):
            raise self.witnessed[key]
        return self.witnessed[key]

    def _witness(self, row, allocator):
        prefix = os.path.join(self.work, "bindings")
        for old in glob.glob(prefix + ".*"):
            os.unlink(old)
        self.run(row, allocator, LD_DEBUG="bindings", LD_DEBUG_OUTPUT=prefix)
        bound = set()
        for path in glob.glob(prefix + ".*"):
            with open(path, encoding="utf8", errors="replace") as f:
                bound.update(b for b in BINDING.findall(f.read()) if "ld-linux" not in b[0])
            os.unlink(path)
        if not bound:
            raise Failure("the dynamic linker bound no malloc at all")
        right = {(user, symbol) for user, target, symbol in bound if os.path.realpath(target) == allocator.real}
        # a program that takes the address of free is itself the target of others, and hands calls on
        wrong = [(user, symbol, target) for user, target, symbol in bound
                 if os.path.realpath(target) != allocator.real and (target, symbol) not in right]
        if wrong:
            raise Failure("%s uses the %s of %s" % min(wrong))
        return allocator.real

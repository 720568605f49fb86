"""What is measured: each group gives its rows as soon as it has them."""

import contextlib
import dataclasses
import math
import statistics
import subprocess
import tempfile
import time
from typing import Optional

import typed
from memory import held
from programs import SECONDS, Failed, Wrk

CPU = ["recursion", "floats", "tables", "strings", "closures", "sort", "coroutines", "pcalls"]


@dataclasses.dataclass
class Row:
    """One line of the table; a value of None was not measured, and `notes` says why."""

    title: str
    unit: str
    moonlet: Optional[float] = None
    peer: Optional[float] = None
    peer_name: str = ""
    higher_is_better: bool = False
    target: Optional[float] = None
    notes: list = dataclasses.field(default_factory=list)
    failed: bool = False

    def reached(self):
        if self.target is None or self.moonlet is None:
            return None
        return self.moonlet >= self.target if self.higher_is_better else self.moonlet <= self.target


def both(row, moonlet, peer, measure):
    """Fills in a row: the peer is measured right after, so that the machine is in the same state."""
    row.peer_name = peer.name
    for attribute, program in [("moonlet", moonlet), ("peer", peer)]:
        if program.missing:
            row.notes.append(f"{program.name}: {program.missing}")
            continue
        try:
            setattr(row, attribute, measure(program))
        except Failed as failed:
            row.notes.append(f"{program.name}: {failed}")
            row.failed = True
    return row


def rate(programs, options, row, count, application, *arguments):
    """How many of something per second."""
    row.higher_is_better = True
    return both(
        row, programs.moonlet, programs.erlang, lambda program: count / program.seconds(options.runs, application, *arguments)
    )


def spawn(programs, options):
    count = 50_000 // options.divisor
    row = Row("spawn to exit", "processes/s", target=25_000)
    yield rate(programs, options, row, count, "spawn", count, 256)


def ping_pong(programs, options):
    count = 200_000 // options.divisor
    row = Row("ping-pong between two processes, a round trip", "us", target=5)
    yield both(
        row,
        programs.moonlet,
        programs.erlang,
        lambda program: program.seconds(options.runs, "pingpong", count) / count * 1e6,
    )


def ring(programs, options):
    for tokens, hops in [(1, 300_000), (100, 10_000)]:
        hops //= options.divisor
        row = Row(f"ring of 1,000 processes, tokens on their way: {tokens}", "messages/s")
        yield rate(programs, options, row, tokens * hops, "ring", 1000, tokens, hops)


def fan_in(programs, options):
    each = 10_000 // options.divisor
    count = 100 * each
    row = Row("100 senders to one receiver", "messages/s", higher_is_better=True, target=400_000)

    def measure(program):
        reports = [program.report("fanin", 100, each) for _ in range(options.runs)]
        refused = statistics.median(report.get("refused", 0) for report in reports)
        if refused:
            row.notes.append(f"{program.name}: {refused:,.0f} of {count:,} sends met a full mailbox and were tried again")
        return count / statistics.median(report["seconds"] for report in reports)

    yield both(row, programs.moonlet, programs.erlang, measure)


def channels(programs, options):
    count = 500_000 // options.divisor
    for size, title in [(0, "without a buffer"), (100, "with a buffer of 100")]:
        row = Row(f"channel inside a process, {title}", "values/s")
        yield rate(programs, options, row, count, "channels", count, size)


def calls(programs, options):
    count = 20_000 // options.divisor
    yield rate(programs, options, Row("funcs.call", "calls/s"), count, "calls", count)


def changes(programs, options):
    """Nothing of the peers is comparable."""
    count = 1_000 // options.divisor
    for what, target in [("entries", 1_000), ("services", 2_000)]:
        row = Row(f"{count:,} {what} applied at once", "ms", target=target)
        try:
            row.moonlet = programs.moonlet.seconds(options.runs, "changes", what, count) * 1000
        except Failed as failed:
            row.notes.append(f"Moonlet: {failed}")
            row.failed = True
        yield row


def idle(programs, options):
    count = 10_000 // options.divisor
    title = f"{count:,} processes that stay"
    yield from standing(programs, "idle", count, {}, [
        (Row(f"{title}: memory of each", "KiB", target=48), lambda seen: seen.more.memory / count),
        (Row(f"{title}: mappings of each", ""), lambda seen: seen.more.mappings / count),
        (Row(f"{title}: started", "processes/s", higher_is_better=True), lambda seen: count / seen.seconds),
    ])


def ticking(programs, options):
    count = 10_000 // options.divisor
    title = f"{count:,} processes that tick each second"
    yield from standing(programs, "ticking", count, {"Moonlet": "1s", "Erlang": "1000"}, [
        (Row(f"{title}: memory in all", "MiB", target=1024), lambda seen: seen.all.memory / 1024),
        (Row(f"{title}: mappings in all", "", target=65_530), lambda seen: seen.all.mappings),
    ])


@dataclasses.dataclass
class Seen:
    """What a program holds while its processes stand, how much more that is than before, and how long they took to start."""

    all: object
    more: object
    seconds: float


def standing(programs, application, count, argument, columns):
    """Rows about processes that stand while they are measured; `argument` is one more for each program."""
    results = {}

    def measure(program):
        arguments = [count, *([argument[program.name]] if program.name in argument else [])]
        with program.open(application, *arguments) as session:
            session.next()
            before = settled(session.pid)
            session.go_on()
            seconds = session.next()["seconds"]
            after = settled(session.pid)
        results[program.name] = Seen(after, after - before, seconds)

    first = columns[0][0]
    both(first, programs.moonlet, programs.erlang, measure)
    for row, value in columns:
        row.peer_name = first.peer_name
        for attribute, name in [("moonlet", programs.moonlet.name), ("peer", first.peer_name)]:
            setattr(row, attribute, value(results[name]) if name in results else None)
        yield row


def settled(pid):
    """What a process holds after a second, in which allocators and collectors do what they had put off."""
    time.sleep(1)
    return held(pid)


def cpu(programs, options):
    ratios = []
    repetitions = 2 if options.divisor > 1 else 7
    for name in CPU:
        row = Row(f"CPU: {name}", "ms")
        answers = {}

        def measure(program, name=name, answers=answers):
            report = program.report("cpu", name, repetitions)
            answers[program.name] = report["result"]
            return report["seconds"] * 1000

        both(row, programs.moonlet, programs.lua, measure)
        if len(set(answers.values())) > 1:
            row.failed = True
            row.notes.append(f"the results differ: {answers}")
        if row.moonlet and row.peer:
            ratios.append(row.moonlet / row.peer)
        yield row
    mean = Row("CPU: geometric mean of the ratios", "times native", target=2.2)
    if len(ratios) == len(CPU):
        mean.moonlet = math.exp(statistics.fmean(map(math.log, ratios)))
    yield mean


def hello(programs, options):
    runs = 5 if options.divisor > 1 else 21

    def measure(program):
        return milliseconds(program, runs)

    yield both(Row("hello, from start to exit", "ms", target=30), programs.moonlet, programs.lua, measure)
    yield both(Row("hello, from start to exit", "ms"), programs.moonlet, programs.erlang, measure)


def milliseconds(program, runs):
    """The median of whole runs; one more goes before them and only warms the caches."""
    command = program.command("hello", [])
    return statistics.median([hello_once(command) for _ in range(runs + 1)][1:]) * 1000


def hello_once(command):
    """The seconds of one whole run."""
    start = time.perf_counter()
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    spent = time.perf_counter() - start
    if result.returncode != 0 or result.stdout != "hello\n":
        raise Failed(f"hello ended with code {result.returncode}: {(result.stderr or result.stdout).strip()[:300]}")
    return spent


def typed_hello(programs, options):
    """Starts a program with types and the same without in turns, so that both meet the machine in the same state."""
    runs = 5 if options.divisor > 1 else 41
    moonlet = programs.moonlet
    if moonlet.missing:
        yield Row("a program with types", "", notes=[f"{moonlet.name}: {moonlet.missing}"])
        return
    for parts in [1, 40]:
        times = {True: [], False: []}
        with tempfile.TemporaryDirectory() as folder:
            lines = [typed.write(f"{folder}/{kind}", kind, parts) for kind in times][0]
            try:
                for _ in range(runs + 1):
                    for kind, spent in times.items():
                        spent.append(hello_once([str(moonlet.binary), "run", f"{folder}/{kind}", "-x", "app:hello"]))
            except Failed as failed:
                yield Row("a program with types", "", notes=[f"{moonlet.name}: {failed}"], failed=True)
                return
        plain, with_types = (statistics.median(times[kind][1:]) * 1000 for kind in [False, True])
        yield Row(f"hello in a program of {lines} lines, without its types", "ms", plain)
        yield Row(f"hello in a program of {lines} lines, with its types", "ms", with_types, target=1.05 * plain)


CONNECTIONS = 32


def http(programs, options):
    """Loads both servers in turns, so that both meet the machine in the same state, then Moonlet at half of what it reached."""
    seconds = 1 if options.divisor > 1 else 5
    row = Row("HTTP hello, a fresh sandbox for each request", "requests/s", peer_name="axum", higher_is_better=True)
    half = Row("HTTP hello at half of that load: p99", "ms", target=5)
    wrk = Wrk()
    servers = {"moonlet": programs.moonlet, "peer": programs.axum}
    missing = wrk.missing or programs.moonlet.missing
    if missing:
        row.notes.append(f"HTTP: {missing}")
        yield row
        return
    if programs.axum.missing:
        row.notes.append(f"axum: {programs.axum.missing}")
        del servers["peer"]
    try:
        rates = {name: [] for name in servers}
        with contextlib.ExitStack() as stack:
            sessions = {name: stack.enter_context(program.open("http")) for name, program in servers.items()}
            addresses = {name: session.next()["address"] for name, session in sessions.items()}
            for _ in range(options.runs):
                for name, address in addresses.items():
                    report = wrk.load(address, CONNECTIONS, seconds)
                    rates[name].append(report["requests"] / report["seconds"])
            for name, measured in rates.items():
                setattr(row, name, statistics.median(measured))
            wait = max(1, round(1000 * CONNECTIONS / (row.moonlet / 2)))
            half.moonlet = wrk.load(addresses["moonlet"], CONNECTIONS, seconds, wait)["p99"]
            if "peer" in addresses:
                half.peer_name = "axum"
                half.peer = wrk.load(addresses["peer"], CONNECTIONS, seconds, wait)["p99"]
    except Failed as failed:
        row.notes.append(f"HTTP: {failed}")
        row.failed = True
        yield row
        return
    if row.peer:
        row.target = row.peer / 3
    yield row
    yield half


def json_documents(programs, options):
    count = 1_000 // options.divisor
    row = Row("JSON: a document of 10 KB encoded and decoded", "us")
    both(row, programs.moonlet, programs.cjson, lambda program: program.seconds(options.runs, "json", count) / count * 1e6)
    if row.peer:
        row.target = 2.5 * row.peer
    yield row


def sqlite(programs, options):
    """Nothing of the peers is comparable."""
    count = 200_000 // options.divisor
    single = None
    for readers in [1, 100]:
        row = Row(f"SQLite: point reads from {readers} process{'es' if readers > 1 else ''}", "reads/s", higher_is_better=True)
        row.target = single if readers > 1 else 50_000
        try:
            row.moonlet = count / programs.moonlet.seconds(options.runs, "sqlite", readers, count // readers)
        except Failed as failed:
            row.notes.append(f"Moonlet: {failed}")
            row.failed = True
        single = row.moonlet
        yield row


ATTACKS = ["loop", "errors", "memory", "strings", "pattern", "spawns", "messages", "calls"]

SLICE = 2.0
"""Milliseconds of a slice at most."""


def neighbours(programs, options):
    """Runs the same neighbours alone and beside attackers, one after the other, so that the machine is in the same state."""
    milliseconds = 3000 // options.divisor
    reports = {0: [], len(ATTACKS): []}
    moonlet = programs.moonlet
    if moonlet.missing:
        yield Row("neighbours of attackers", "", notes=[f"{moonlet.name}: {moonlet.missing}"])
        return
    for _ in range(options.runs):
        for count in reports:
            try:
                reports[count].append(moonlet.report("neighbours", milliseconds, *ATTACKS[:count]))
            except Failed as failed:
                yield Row("neighbours of attackers", "", notes=[f"{moonlet.name}: {failed}"], failed=True)
                return

    def median(count, name, factor):
        return statistics.median(report[name] for report in reports[count]) * factor

    alone = median(0, "p99", 1e6)
    for count, place in [(0, "alone"), (len(ATTACKS), f"beside {len(ATTACKS)} attackers")]:
        for name in ["p50", "p99", "max"]:
            target = 3 * alone if count and name == "p99" else None
            yield Row(f"round trip of a pair {place}: {name}", "us", median(count, name, 1e6), target=target)
        for name, key in [("p50", "late50"), ("p99", "late99"), ("max", "latest")]:
            target = 2 * SLICE + 5 if count and name == "max" else None
            yield Row(f"a sleep of 10 ms is late {place}: {name}", "ms", median(count, key, 1e3), target=target)


def killing(programs, options):
    count = 5_000 // options.divisor
    row = Row("endless processes started, ended and cleaned up", "processes/s", higher_is_better=True)
    try:
        row.moonlet = count / programs.moonlet.seconds(options.runs, "killing", count, 16)
    except Failed as failed:
        row.notes.append(f"Moonlet: {failed}")
        row.failed = True
    yield row


GROUPS = {
    "spawn": spawn,
    "idle": idle,
    "pingpong": ping_pong,
    "ring": ring,
    "fanin": fan_in,
    "channels": channels,
    "calls": calls,
    "changes": changes,
    "cpu": cpu,
    "http": http,
    "json": json_documents,
    "sqlite": sqlite,
    "hello": hello,
    "typed": typed_hello,
    "ticking": ticking,
    "neighbours": neighbours,
    "killing": killing,
}

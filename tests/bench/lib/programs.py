"""The programs that are measured: Moonlet and its peers, and how to talk to them.

Each prints lines of JSON. Nothing here knows what is measured.
"""

import json
import pathlib
import queue
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 300


class Failed(Exception):
    """A program did not do what a row needs; the text says why."""


class Program:
    """A command line for each application, or a note why there is none."""

    name = ""
    missing = None

    def command(self, application, arguments):
        raise NotImplementedError

    def version(self):
        raise NotImplementedError

    def open(self, application, *arguments):
        return Session(self.command(application, [str(argument) for argument in arguments]))

    def report(self, application, *arguments):
        """Runs an application to its end and gives the line that it printed."""
        with self.open(application, *arguments) as session:
            return session.last()

    def seconds(self, runs, application, *arguments):
        """The median of what the application measured."""
        return statistics.median(self.report(application, *arguments)["seconds"] for _ in range(runs))


class Moonlet(Program):
    name = "Moonlet"

    def __init__(self, binary):
        self.binary = binary or default_binary()
        if self.binary is None or not pathlib.Path(self.binary).is_file():
            self.missing = f"no {self.binary or 'moonlet'}: build it with `cargo build` or give --moonlet PATH"

    def command(self, application, arguments):
        entry = "app:hello" if application == "hello" else "app:main"
        return [str(self.binary), "run", str(HERE / "apps" / application), "-x", entry, *arguments]

    def version(self):
        return output([str(self.binary), "version"]).splitlines()[0]


class Erlang(Program):
    name = "Erlang"

    def __init__(self, folder):
        self.folder = folder
        if shutil.which("erl") is None or shutil.which("erlc") is None:
            self.missing = "no erl and erlc: on Debian, `apt-get install erlang-base`"
            return
        subprocess.run(["erlc", "-o", str(folder), str(HERE / "erlang" / "bench.erl")], check=True)

    def command(self, application, arguments):
        return ["erl", "-noshell", "-pa", str(self.folder), "-run", "bench", "main", application, *arguments]

    def version(self):
        question = 'io:format("Erlang/OTP ~s, ~s emulator", [erlang:system_info(otp_release), erlang:system_info(emu_flavor)]), halt(0).'
        return output(["erl", "-noshell", "-eval", question]).strip()


class Lua(Program):
    name = "Lua 5.4"

    def __init__(self):
        self.binary = next((name for name in ["lua5.4", "lua54", "lua"] if is_lua54(name)), None)
        if self.binary is None:
            self.missing = "no native Lua 5.4: on Debian, `apt-get install lua5.4`"

    def command(self, application, arguments):
        if application == "hello":
            return [self.binary, "-e", "print('hello')"]
        return [self.binary, str(HERE / "apps" / application / "native.lua"), *arguments]

    def version(self):
        return output([self.binary, "-v"]).strip().split("  ")[0]


class Cjson(Lua):
    name = "cjson"

    def __init__(self):
        super().__init__()
        if not self.missing and subprocess.run([self.binary, "-e", "require('cjson')"], capture_output=True).returncode != 0:
            self.missing = "no lua-cjson: on Debian, `apt-get install lua-cjson`"

    def version(self):
        return "lua-cjson " + output([self.binary, "-e", "io.write(require('cjson')._VERSION)"])


class Axum(Program):
    """A bare handler, compiled here when it is first needed: nobody else needs it."""

    name = "axum"

    def __init__(self):
        self.binary = None
        if shutil.which("cargo") is None:
            self.missing = "no cargo to build it with"

    def build(self):
        if self.binary is None:
            folder = target_folder() / "bench-axum"
            command = ["cargo", "build", "--release", "--manifest-path", str(HERE / "axum" / "Cargo.toml"), "--target-dir", str(folder)]
            built = subprocess.run(command, capture_output=True, text=True)
            if built.returncode != 0:
                raise Failed(f"cannot be built: {built.stderr.strip()[-300:]}")
            self.binary = folder / "release" / "bench-axum"

    def command(self, application, arguments):
        self.build()
        return [str(self.binary)]

    def version(self):
        return "axum 0.8"


class Wrk:
    """The client that loads HTTP servers."""

    def __init__(self):
        self.missing = None if shutil.which("wrk") else "no wrk: on Debian, `apt-get install wrk`"

    def load(self, address, connections, seconds, wait=0):
        """Asks as fast as the connections can, each waiting for so many milliseconds between two requests."""
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", str(HERE / "lib" / "wrk.lua")]
        result = subprocess.run([*command, f"http://{address}/", "--", str(wait)], capture_output=True, text=True, timeout=SECONDS)
        lines = result.stdout.splitlines()
        if result.returncode != 0 or not lines:
            raise Failed(f"wrk failed: {(result.stderr or result.stdout).strip()[:300]}")
        report = json.loads(lines[-1])
        if report["failed"] or not report["requests"]:
            raise Failed(f"{report['failed']} of {report['requests']} requests failed")
        return report


class Session:
    """One run of a program: what it prints, line by line, and the lines it is sent."""

    def __init__(self, command):
        self.errors = tempfile.TemporaryFile(mode="w+", errors="replace")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, errors="replace"
        )
        self.command = command
        self.lines = queue.Queue()
        self.deadline = time.monotonic() + SECONDS
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.errors.close()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)
        self.lines.put(None)

    @property
    def pid(self):
        return self.process.pid

    def line(self):
        """The next line, or None at the end."""
        try:
            return self.lines.get(timeout=max(0, self.deadline - time.monotonic()))
        except queue.Empty:
            raise Failed(f"no answer after {SECONDS} seconds: {' '.join(self.command)}") from None

    def next(self):
        """The next line, which must be JSON."""
        line = self.line()
        if line is None:
            raise self._ended("ended early")
        try:
            return json.loads(line)
        except ValueError:
            raise Failed(f"not a line of JSON: {line.strip()!r}, from {' '.join(self.command)}") from None

    def go_on(self):
        """Sends an empty line, which the program waits for."""
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._ended("ended early") from None

    def last(self):
        """The only line of a program that ends by itself."""
        report = self.next()
        while self.line() is not None:
            pass
        if self.process.wait() != 0:
            raise self._ended("failed")
        return report

    def _ended(self, how):
        code = self.process.wait()
        self.errors.seek(0)
        errors = re.sub(r"\s+", " ", self.errors.read()).strip()[:300]
        return Failed(f"{how} with code {code}: {' '.join(self.command)}: {errors or 'no message'}")


def default_binary():
    """What `cargo build` made."""
    folder = target_folder()
    return folder and folder / "debug" / "moonlet"


def target_folder():
    """Where `cargo build` puts things."""
    if shutil.which("cargo") is None:
        return None
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"], cwd=HERE, capture_output=True, text=True
    )
    if metadata.returncode != 0:
        return None
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"])


def is_lua54(name):
    return shutil.which(name) is not None and output([name, "-v"]).startswith("Lua 5.4")


def output(command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout

"""What the benchmark runs on: processors, installed tools, and child processes that never outlive it."""

import contextlib
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

# Seconds that a server has to answer for the first time, and to end when asked.
START, STOP = 120, 20


class Wrong(Exception):
    """Something that ends the benchmark, with what to say."""


class Missing(Exception):
    """A peer that is not installed, with how to install it."""


def processors():
    """Those for what is measured and those for the client: the last one is the client's, where there are two or more."""
    every = sorted(os.sched_getaffinity(0))
    return (set(every), set(every)) if len(every) < 2 else (set(every[:-1]), {every[-1]})


def tool(name, *places):
    """The path of a program, also looked for where Debian hides some; None when absent."""
    found = shutil.which(name)
    if found and not places:
        return found
    for place in places:
        for one in sorted(Path("/").glob(place.lstrip("/")), reverse=True):
            if os.access(one, os.X_OK):
                return str(one)
    return found or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


def unprivileged():
    """Arguments for a child that must not run as the superuser (PostgreSQL refuses to), and the account's ids."""
    if os.geteuid() != 0:
        return {}, None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}, account
    raise Wrong("run as a user other than the superuser: PostgreSQL refuses to run as one, and no other account was found")


def free_port():
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command, where, log, **more):
    """Starts a program on these processors, in a group of its own, with its output in a file."""
    out = open(log, "ab")
    try:
        return subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, where), **more)
    finally:
        out.close()


def end(process, how=signal.SIGTERM, patience=STOP):
    """Asks a program and its children to end, then makes them."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def serving(command, where, log, ready, **more):
    """A server that answers 200 at `ready` while the block runs; it is always ended."""
    process = spawn(command, where, log, **more)
    try:
        limit = time.monotonic() + START
        while True:
            if process.poll() is not None:
                raise Wrong(f"{Path(str(command[0])).name} ended at once; its last words:\n{last_words(log)}")
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                with urllib.request.urlopen(ready, timeout=5) as answer:
                    if answer.status == 200:
                        break
            if time.monotonic() > limit:
                raise Wrong(f"{Path(str(command[0])).name} was not ready within {START} s:\n{last_words(log)}")
            time.sleep(0.05)
        yield process
    finally:
        end(process)


def last_words(log, lines=8):
    """The end of a log."""
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])


def run(command, limit, **more):
    """Runs a program to its end and returns what it printed."""
    try:
        done = subprocess.run([str(part) for part in command], stdin=more.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=limit, **more)
    except subprocess.TimeoutExpired:
        raise Wrong(f"{Path(str(command[0])).name} took more than {limit} s") from None
    if done.returncode:
        raise Wrong(f"{Path(str(command[0])).name} failed: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout


def memory(process):
    """Resident memory of a process in MB: anonymous, and mapped from files."""
    found = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("RssAnon", "RssFile"):
                found[name] = int(value.split()[0]) / 1024
    return found.get("RssAnon", 0.0), found.get("RssFile", 0.0)


def worked(pid):
    """Seconds of processor time that a process, its children and those already gone have used."""
    used = 0.0
    with contextlib.suppress(OSError, IndexError):
        # The name in brackets may hold blanks; what follows the last bracket does not.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        for thread in Path(f"/proc/{pid}/task").iterdir():
            used += sum(worked(child) for child in (thread / "children").read_text().split())
    return used


def description():
    """The machine, without its name."""
    model = "unknown"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{len(os.sched_getaffinity(0))} processors ({model}), {total:.0f} GiB of memory, " \
           f"Linux {platform.release().split('-')[0]}"

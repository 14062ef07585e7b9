"""Processes that can be frozen, killed and started again, also by a later call of the command line."""

import os
import select
import signal
import subprocess
import time

CHILD_SECONDS = 30
CHILD_POLL_SECONDS = 0.01


class Process:
    """One program with its log. It ends with the thread that started it, unless it shall outlive it.

    `child` is for one that only starts what is meant: the name of that program. It is its child then, or, if it ends
    after it has started it, that of the process `parent`.
    """

    def __init__(self, name, arguments, log, environment=None, outlives_us=False, child=None, parent=None):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = str(log)
        self.environment = environment or {}
        self.outlives_us = outlives_us
        self.child = child
        self.parent = parent
        self.pid = None
        self._start_time = None
        self._child = None
        self._handle = None

    @classmethod
    def from_state(cls, state):
        process = cls(state["name"], state["arguments"], state["log"], state["environment"], outlives_us=True,
                      child=state["child"], parent=state["parent"])
        process._attach(state["pid"], state["start_time"])
        return process

    def state(self):
        return {"name": self.name, "arguments": self.arguments, "log": self.log,
                "environment": self.environment, "child": self.child, "parent": self.parent,
                "pid": self.pid, "start_time": self._start_time}

    def start(self):
        tie_to_us = [] if self.outlives_us else ["setpriv", "--pdeathsig", "KILL"]
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                tie_to_us + self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment}, start_new_session=True)
        pid = self._child_pid() if self.child else self._child.pid
        self._attach(pid, start_time(pid))

    def alive(self):
        return self._handle is not None and not self._ended_within(0)

    def kill(self):
        if self.alive():
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self._ended_within(None)

    def terminate(self, timeout):
        """Asks the process to end; returns whether it did so in time."""
        if not self.alive():
            return True
        signal.pidfd_send_signal(self._handle, signal.SIGTERM)
        return self._ended_within(timeout)

    def ask_to_end(self):
        self._signal(signal.SIGTERM)

    def freeze(self):
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def wait(self, timeout):
        """Returns whether the process ended in time."""
        return self._handle is None or self._ended_within(timeout)

    def exit_code(self):
        return self._child.poll() if self._child else None

    def log_text(self):
        """Nothing when the log is a pipe, of which reading would take from it, or wait."""
        if not os.path.isfile(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def log_tail(self, lines=15):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def _child_pid(self):
        """The pid of the child that is meant, or of what should have started it when that did not work."""
        starter = self._child.pid
        deadline = time.monotonic() + CHILD_SECONDS
        while not self._child.poll() and time.monotonic() < deadline:
            for pid in children(self.parent or starter):
                if program_name(pid) == self.child:
                    return pid
            time.sleep(CHILD_POLL_SECONDS)
        return starter

    def _signal(self, number):
        if not self.alive():
            raise RuntimeError(f"{self.name} does not run, so it can not get {number.name}; start it first")
        signal.pidfd_send_signal(self._handle, number)

    def _attach(self, pid, started):
        self._release()
        self.pid, self._start_time = pid, started
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        if start_time(pid) == started:
            self._handle = handle
        else:
            os.close(handle)

    def _ended_within(self, seconds):
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        if not poll.poll(None if seconds is None else seconds * 1000):
            return False
        if self._child:
            self._child.wait()
        self._release()
        return True

    def _release(self):
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def start_time(pid):
    """When the process started, in clock ticks since boot. It tells it from a later one with the same pid."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[19])
    except FileNotFoundError:
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
            return [int(child) for child in listed.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def program_name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None

"""The operator under test as a process of this machine."""

import os
import re
import subprocess
import urllib.error
import urllib.request

from processes import Process
from waiting import wait_until

TERMINATION_TIMEOUT_SECONDS = 30
ANSWER_TIMEOUT_SECONDS = 10
# Several operators may run on this machine.
ANY_PORT = {"--health-address": "127.0.0.1:0", "--metrics-address": "127.0.0.1:0"}


class Operator:
    """The operator with one kubeconfig, or without the option when that is None. It can be killed and started
    again like the pod it would be.

    `through` is a command that makes itself the operator, such as ("prlimit", "--nofile=32").
    """

    def __init__(self, program, kubeconfig, log, flags=(), environment=None, through=()):
        if not program.exists():
            raise RuntimeError(f"there is no operator program {program}; build it, or give --operator")
        addresses = [part for name, value in ANY_PORT.items()
                     if not any(flag.startswith(name) for flag in flags) for part in (name, value)]
        option = [] if kubeconfig is None else ["--kubeconfig", kubeconfig]
        self._process = Process("operator", [*through, program, *option, *addresses, *flags], log, environment)

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        self._process.start()

    def alive(self):
        return self._process.alive()

    def exit_code(self):
        """None while it runs; negative for the number of a signal."""
        return self._process.exit_code()

    def kill(self):
        """SIGKILL: what a crash, an OOM kill or a power failure is to the operator."""
        self._process.kill()

    def terminate(self, timeout=TERMINATION_TIMEOUT_SECONDS):
        """SIGTERM: what Kubernetes does to its pod. Returns the exit code."""
        self.ask_to_end()
        return self.wait_end(timeout)

    def ask_to_end(self):
        self._process.ask_to_end()

    def wait_end(self, timeout=TERMINATION_TIMEOUT_SECONDS):
        """Returns the exit code."""
        if not self._process.wait(timeout):
            raise AssertionError(f"the operator did not end within {timeout} s; "
                                 f"its log ends with:\n{self._process.log_tail()}")
        return self._process.exit_code()

    def address(self, what):
        """Where it serves `health` or `metrics`, as its log says; waits until it does."""
        def served():
            found = re.findall(rf'serves {what} address="([^"]+)"', self.log_text())
            return found and found[-1]

        return wait_until(served, ANSWER_TIMEOUT_SECONDS, f"the operator serves {what}", seen=self.log_text)

    def ask(self, what, path):
        """Status and text of its answer."""
        url = f"http://{self.address(what)}{path}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self):
        """The values by series, as in `workqueue_depth{name="noderemoval"}`."""
        _, text = self.ask("metrics", "/metrics")
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in samples}

    def restart(self):
        self.kill()
        self.start()

    def freeze(self):
        self._process.freeze()

    def thaw(self):
        self._process.thaw()

    def limit(self, *limits):
        """Sets resource limits of the running process, as options of prlimit."""
        subprocess.run(["prlimit", f"--pid={self._process.pid}", *limits], check=True)

    def open_files(self):
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def log_text(self):
        return self._process.log_text()

    def resident_bytes(self):
        return self._process.resident_bytes()

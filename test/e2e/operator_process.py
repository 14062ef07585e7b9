"""The operator under test as a process of this machine."""

import os
import subprocess

from processes import Process

TERMINATION_TIMEOUT_SECONDS = 30


class Operator:
    """The operator with one kubeconfig, or without the option when that is None. It can be killed and started
    again like the pod it would be.

    `through` is a command that makes itself the operator, such as ("prlimit", "--nofile=32").
    """

    def __init__(self, program, kubeconfig, log, flags=(), environment=None, through=()):
        if not program.exists():
            raise RuntimeError(f"there is no operator program {program}; build it, or give --operator")
        option = [] if kubeconfig is None else ["--kubeconfig", kubeconfig]
        self._process = Process("operator", [*through, program, *option, *flags], log, environment)

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
        if not self._process.terminate(timeout):
            raise AssertionError(f"the operator did not end within {timeout} s of SIGTERM; "
                                 f"its log ends with:\n{self._process.log_tail()}")
        return self._process.exit_code()

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

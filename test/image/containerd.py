"""A containerd of the tests' own, beside any that this machine has."""

import subprocess
import time

CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{folder}/containerd.sock"
"""
DEADLINE = 30


class Containerd:
    """Runs from `with` to its end; needs root. What it pulls and runs lies in `folder`."""

    def __init__(self, folder):
        self._folder, self._process = folder, None

    def __enter__(self):
        config = self._folder / "config.toml"
        config.write_text(CONFIG.format(folder=self._folder), encoding="utf-8")
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(["containerd", "--config", config], stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE
        while self.ctr("version", check=False).returncode:
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError("containerd does not start:\n" + (self._folder / "log").read_text())
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(DEADLINE)

    def command(self, *arguments):
        """ctr, as the kubelet's containerd sees it."""
        return ["ctr", "--address", f"{self._folder}/containerd.sock", "--namespace", "k8s.io", *arguments]

    def ctr(self, *arguments, check=True):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"ctr {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done

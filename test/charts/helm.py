"""Runs Helm on the chart."""

import json
import os
import subprocess
from pathlib import Path

import objects

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "charts/node-removal"
# What README says to install with.
RELEASE = "noderemoval"
NAMESPACE = "noderemoval-system"


class HelmError(Exception):
    """Helm refused; the message is what it printed."""


class Helm:
    """The helm program."""

    def __init__(self, program, home):
        """`home` is a folder for Helm's own files, so that those of the user change nothing here."""
        self._program = program
        folders = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        self._environment = {name: text for name, text in os.environ.items()
                             if not name.startswith("HELM_")} | folders

    def run(self, *arguments, values=None):
        """What `helm ARGUMENTS` prints; raises HelmError."""
        given = [] if values is None else ["--values", "-"]
        done = subprocess.run([self._program, *arguments, *given], input=json.dumps(values),
                              env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HelmError(done.stdout + done.stderr)
        return done.stdout

    def text(self, values=None, *flags, release=RELEASE, namespace=NAMESPACE, chart=CHART):
        """The YAML that would be installed."""
        return self.run("template", release, chart, "--namespace", namespace, *flags, values=values or {})

    def render(self, *arguments, **options):
        """The same as objects, by objects.name_of."""
        return objects.by_name(self.text(*arguments, **options))

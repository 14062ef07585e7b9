#!/usr/bin/env python3
"""Switches one guard off at a time and shows which test notices.

    test/model/mutants.py BUILD_FOLDER [--quick | NAME...]

Each entry of mutants.json changes one place of a copy of one source file; the copy is linked into the explorer,
and, when that notices nothing, into the unit tests. The explorer is not asked where decide() and the gate look at
the same thing ("twice": true), because the other one still does. The sources are left as they are. Fails when a mutant lives,
and when the text that an entry wants to change is not there exactly once.
"""

import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = {"explorer": "test/model_test", "unit tests": "test/reconcilers_test"}
# The explorer has no network and no Lease.
CLIENT_TESTS = {"unit tests": "test/controller_test"}


class Builder:
    """Makes changed copies of `programs`, which are named as in the build folder."""

    def __init__(self, build, programs):
        self.build = build
        self.folder = build / "mutants"
        self.folder.mkdir(exist_ok=True)
        commands = json.loads((build / "compile_commands.json").read_text())
        self.compile_commands = {str(pathlib.Path(c["file"]).relative_to(ROOT)): c["command"] for c in commands}
        self.link_commands = {program: self._link_command(program) for program in programs}

    def _link_command(self, program):
        lines = subprocess.run(["ninja", "-C", self.build, "-t", "commands", "-s", program],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        command = next(line for line in lines if f"-o {program}" in line)
        return next(part for part in command.split(" && ") if f"-o {program}" in part)

    def compile(self, source, text):
        copy = self.folder / pathlib.Path(source).name
        copy.write_text(text)
        command = self.compile_commands[source].replace(str(ROOT / source), str(copy))
        target = copy.with_suffix(".o")
        command = re.sub(r"-o \S+\.o", f"-o {target}", command).replace("-Werror", "-w")
        ccache = [program for program in [shutil.which("ccache")] if program]
        subprocess.run([*ccache, *shlex.split(command)], cwd=self.build, check=True)
        return target

    def link(self, program, *mutated):
        """The mutated objects come before the libraries, so that theirs are not taken."""
        target = self.folder / pathlib.Path(program).name
        command = shlex.split(self.link_commands[program])
        command[command.index("-o") + 1] = str(target)
        first_library = next(i for i, word in enumerate(command) if word.endswith(".a"))
        command[first_library:first_library] = map(str, mutated)
        subprocess.run(command, cwd=self.build, check=True)
        return target


def mutated_text(mutant):
    text = (ROOT / mutant["file"]).read_text()
    if text.count(mutant["old"]) != 1:
        sys.exit(f'{mutant["file"]} does not have exactly once what the mutant "{mutant["name"]}" changes: {mutant["old"]}')
    return text.replace(mutant["old"], mutant["new"])


def killer(program):
    """The test that fails, and the invariant when the explorer names one; None when all pass."""
    done = subprocess.run([program, "--gtest_fail_fast"], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    failed = re.findall(r"^\[  FAILED  \] (\S+) ", done.stdout, re.MULTILINE)
    started = re.findall(r"^\[ RUN      \] (\S+)", done.stdout, re.MULTILINE)
    test = failed[0] if failed else started[-1]  # the program may have ended in the middle of a test
    invariant = re.search(r"^([SL]\d+: .*)$", done.stdout, re.MULTILINE)
    return f"{test} ({invariant[1]})" if invariant else test


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    mutants = json.loads((ROOT / "test/model/mutants.json").read_text())
    texts = [mutated_text(mutant) for mutant in mutants]
    wanted = sys.argv[2:]
    if wanted == ["--quick"]:
        wanted = [mutant["name"] for mutant in mutants if mutant.get("quick")]
    chosen = [(m, t) for m, t in zip(mutants, texts) if not wanted or m["name"] in wanted]
    builder = Builder(build, {*TESTS.values(), *CLIENT_TESTS.values()})
    begin = time.monotonic()
    alive = []
    print("| mutant | killed by | test |\n|---|---|---|")
    for mutant, text in chosen:
        mutated = builder.compile(mutant["file"], text)
        tests = CLIENT_TESTS if mutant["file"].startswith("controller/") else TESTS
        for kind, test in tests.items():
            if kind == "explorer" and mutant.get("twice"):
                continue
            killed_by = killer(builder.link(test, mutated))
            if killed_by:
                print(f'| {mutant["name"]} | {kind} | {killed_by} |', flush=True)
                break
        else:
            alive.append(mutant["name"])
            print(f'| {mutant["name"]} | **nothing** | |', flush=True)
    print(f"\n{len(chosen) - len(alive)} of {len(chosen)} mutants killed in {time.monotonic() - begin:.0f} s")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()

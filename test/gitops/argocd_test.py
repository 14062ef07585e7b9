"""The health check and the actions for Argo CD, by the test cases beside them, which are in Argo CD's own format."""

from pathlib import Path

import pytest
import yaml
from argocd import FOLDER, run

HEALTH = yaml.safe_load((FOLDER / "health_test.yaml").read_text(encoding="utf-8"))["tests"]
ACTIONS = yaml.safe_load((FOLDER / "actions/action_test.yaml").read_text(encoding="utf-8"))


def thing(path):
    return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", HEALTH, ids=lambda case: Path(case["inputPath"]).stem)
def test_the_health_is_what_the_case_says(case):
    assert run("health.lua", thing(case["inputPath"])) == case["healthStatus"]


@pytest.mark.parametrize("case", ACTIONS["discoveryTests"], ids=lambda case: Path(case["inputPath"]).stem)
def test_the_actions_that_make_sense_are_offered(case):
    offered = run("actions/discovery.lua", thing(case["inputPath"]))
    assert offered == {each["name"]: {"disabled": each["disabled"]} for each in case["result"]}


@pytest.mark.parametrize("case", ACTIONS["actionTests"], ids=lambda case: case["action"])
def test_an_action_changes_only_what_it_is_for(case):
    done = run(f"actions/{case['action']}/action.lua", thing(case["inputPath"]))
    assert done == thing(case["expectedOutputPath"])


def test_every_case_is_used():
    named = {case["inputPath"] for case in HEALTH + ACTIONS["discoveryTests"] + ACTIONS["actionTests"]}
    named |= {case["expectedOutputPath"] for case in ACTIONS["actionTests"]}
    assert named == {f"testdata/{path.name}" for path in (FOLDER / "testdata").iterdir()}

"""What is rendered for three sets of values, to read in a review; `--write-golden` writes it anew."""

from pathlib import Path

import pytest
import yaml
from helm import CHART

GOLDEN = Path(__file__).resolve().parent / "golden"


@pytest.fixture(params=[("default", "1.36.0"), ("all-features", "1.36.0"), ("minimal-1.20", "1.20.2")],
                ids=lambda param: param[0])
def case(request):
    name, kubernetes = request.param
    return name, yaml.safe_load((GOLDEN / f"{name}.values.yaml").read_text(encoding="utf-8")), kubernetes


def test_lint_finds_nothing(helm, case):
    _, values, kubernetes = case
    helm.run("lint", "--strict", CHART, "--kube-version", kubernetes, values=values)


def test_the_chart_renders_what_it_rendered_before(request, helm, case):
    name, values, kubernetes = case
    # The CRD is the file of the repository, which default_values_test.py compares.
    text = helm.text(values, "--kube-version", kubernetes, "--set", "crds.enabled=false")
    golden = GOLDEN / f"{name}.yaml"
    if request.config.getoption("--write-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), \
        "if this is what you want: /usr/bin/python3 -m pytest test/charts --write-golden"

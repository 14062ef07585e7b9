"""The dashboard as a file; real_run_test.py asks its queries."""

import itertools
import re
import runpy
import subprocess

import pytest
import yaml
from repository import REPOSITORY, alerts, dashboard, expressions, panels

PANELS = panels()
# What Grafana puts in their place.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$cluster": ".*", "$job": "noderemoval", "$noderemoval": ".*"}


def test_what_is_built_is_as_it_was_built():
    built = runpy.run_path(str(REPOSITORY / "charts/build-monitoring"))["built"]()
    for path, text in built.items():
        assert path.read_text(encoding="utf-8") == text, "run: charts/build-monitoring"


def test_panels_lie_beside_each_other():
    def cells(panel):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        return {(x, y) for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])}

    for one, other in itertools.combinations(dashboard()["panels"], 2):
        assert not cells(one) & cells(other), f"{one['title']} lies on {other['title']}"


def test_numbers_and_titles_are_there_once():
    everything = dashboard()["panels"]
    for what in ("id", "title"):
        assert len({panel[what] for panel in everything}) == len(everything), what


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_has_a_description_a_unit_and_the_chosen_data_source(title):
    panel = PANELS[title]
    assert panel["description"].endswith(".") and panel["fieldConfig"]["defaults"]["unit"]
    for each in [panel, *panel["targets"]]:
        assert each["datasource"] == {"type": "prometheus", "uid": "$datasource"}


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_of_an_idle_cluster_says_so_instead_of_no_data(title):
    panel = PANELS[title]
    for expression in expressions(panel):
        # These come and go with removals; the others are there from the start.
        comes_and_goes = re.search(r"noderemoval_active_(?!not)|> 0$|>= 0$|ALERTS", expression)
        assert not comes_and_goes or expression.endswith(" or vector(0)") or \
            panel["fieldConfig"]["defaults"].get("noValue"), expression


def test_variables_are_declared_and_used():
    declared = {each["name"] for each in dashboard()["templating"]["list"]}
    text = yaml.safe_dump(dashboard()["panels"])
    assert declared == {name for name in re.findall(r"\$([a-z]\w*)", text)}


def test_promtool_can_read_every_query(tmp_path):
    queries = [expression for panel in PANELS.values() for expression in expressions(panel)]
    queries.append(dashboard()["annotations"]["list"][0]["expr"])
    for name, value in VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    rules = tmp_path / "queries.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": [
        {"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]}]}), encoding="utf-8")
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_that_descriptions_name_exist():
    named = {name for panel in PANELS.values() for name in re.findall(r"NodeRemoval[A-Z]\w+", panel["description"])}
    assert named and named <= alerts().keys()

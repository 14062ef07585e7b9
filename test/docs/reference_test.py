"""The pages in docs/ say what the CRD and the sources say; /usr/bin/python3 -m pytest test/docs passes them."""

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CRD_TEXT = (REPOSITORY / "crd/noderemovals.yaml").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8")
         for path in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]}
REFERENCE, BLOCKERS = PAGES["reference.md"], PAGES["blockers.md"]
TYPES = {"string": "string", "integer": "integer", "boolean": "boolean", "object": "object", "array": "list",
         None: "integer or string"}

# Reasons in status.nodes that no call below carries.
OTHER_REASONS = {"Starting", "Started", "Cancelled"}
# It ends the removal, so nothing waits for it.
FINAL_GUARDS = {"ControlPlaneNode"}


def fields_of(schema, prefix=""):
    for name, field in schema.get("properties", {}).items():
        path = prefix + name
        yield path, field
        yield from fields_of(field, path + ".")
        yield from fields_of(field.get("items", {}), path + "[].")


def crd_fields(part):
    [version] = yaml.safe_load(CRD_TEXT)["spec"]["versions"]
    return dict(fields_of(version["schema"]["openAPIV3Schema"]["properties"][part]))


def section(page, title):
    return re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", page, re.M | re.S)[2]


def entries(title):
    """Of a list with lines such as "- `name` (type, ...): text"; the attributes in brackets and the text by name."""
    result = {}
    for entry in re.findall(r"^- (`.*(?:\n  .*)*)", section(REFERENCE, title), re.M):
        names, attributes, text = re.fullmatch(r"([^(]*) \(([^)]*)\):(.*)", " ".join(entry.split())).groups()
        result |= {name: (attributes, text) for name in re.findall(r"`([^`]+)`", names)}
    return result


def first_cells(text):
    return set(re.findall(r"^\| \[?`([^`]+)`", text, re.M))


def first_cells_plain(text):
    return set(re.findall(r"^\| (\d+) \|", text, re.M))


def sources():
    for path in sorted((REPOSITORY / "reconcilers").glob("*.cpp")):
        yield re.sub(r"//.*", "", path.read_text(encoding="utf-8"))


def calls(*functions):
    """The text between the brackets of each call of one of the functions."""
    for source in sources():
        for call in re.finditer(rf"\b(?:{'|'.join(functions)})\(", source):
            depth, end = 1, call.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(source[end], 0)
                end += 1
            yield source[call.end():end - 1]


def words(texts):
    return {word for text in texts for word in re.findall(r'"([A-Z][A-Za-z]+)"', text)}


def initialized(types):
    return {word for source in sources() for word in re.findall(rf'\b{types}\b\s*[{{,]\s*"([A-Z]\w+)"', source)}


def blocker_reasons():
    return words(calls(r"blockers\.add", "as")) | initialized("PodClass::(?:Finishes|ComesBack|NeedsWord|LeftOut)")


def waiting_reasons():
    return words(calls("wait")) | initialized("GuardRefusal") - FINAL_GUARDS


def all_reasons():
    return (words(calls("wait", "pass", "set", "succeed", "fail", "give_up", "not_cleaned")) | blocker_reasons() | OTHER_REASONS
            | initialized(r"(?:PodClass::\w+|GuardRefusal|SpecProblem)"))


def test_the_regexes_see_what_the_sources_say():
    assert {"PodDisruptionBudget", "NeedsFencing", "Finalizer", "NotSelected", "ServerBusy"} <= blocker_reasons()
    assert {"ClaimedByOther", "BudgetUsedUp", "Blocked", "Settling", "ApiUnavailable"} <= waiting_reasons()
    assert {"Refused", "TimedOut", "GoneAlready", "HostUnreachable", "MirrorPod", "NodeNotReady"} <= all_reasons()


@pytest.mark.parametrize(("title", "part"), [("Spec", "spec"), ("Status", "status")])
def test_the_reference_has_exactly_the_fields_of_the_crd(title, part):
    assert set(entries(title)) == set(crd_fields(part))


@pytest.mark.parametrize(("title", "part"), [("Spec", "spec"), ("Status", "status")])
def test_types_and_defaults_are_those_of_the_crd(title, part):
    fields = crd_fields(part)
    for name, (attributes, _) in entries(title).items():
        field = fields[name]
        assert re.match(rf"{TYPES[field.get('type')]}(,|$)", attributes), name
        default = field.get("default")
        written = str(default).lower() if isinstance(default, bool) else str(default)
        expected = [] if default in (None, {}) else [written]
        assert re.findall("default `([^`]*)`", attributes) == expected, name


def test_a_field_is_called_fixed_where_the_crd_refuses_a_change():
    fixed = set(re.findall(r"message: ([\w.]+) cannot be changed after creation", CRD_TEXT))
    for name, field in crd_fields("spec").items():
        if field.get("properties") and name not in fixed:
            continue  # of some objects one field may be changed and another may not
        attributes, _ = entries("Spec")[name]
        expected = "fixed" if any(name == each or name.startswith(each + ".") for each in fixed) else "any time"
        assert attributes.endswith(expected), name


def test_every_field_of_the_spec_has_an_example_that_the_crd_knows():
    def paths(value, prefix):
        for key, nested in value.items():
            yield prefix + key
            if isinstance(nested, dict) and key != "matchLabels":
                yield from paths(nested, prefix + key + ".")

    for name, (attributes, text) in entries("Spec").items():
        if "default" not in attributes or ".match" in name:
            continue  # an object, or part of a label selector
        example = set(paths(yaml.safe_load(re.search("Example: `(.*)`$", text)[1]), ""))
        assert name in example and example <= set(crd_fields("spec")), name


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_field_that_does_not_exist(page):
    known = {part + "." + name for part in ("spec", "status") for name in crd_fields(part)}
    named = set(re.findall(r"(?<![\w.])((?:spec|status)\.[a-z]\w*(?:\[\]|\.\w+)*)", PAGES[page]))
    assert named - known == set()


def test_the_reference_has_exactly_the_reasons_of_the_sources():
    named = set().union(*(first_cells(section(REFERENCE, title))
                          for title in ("Conditions", "Blockers", "Plan", "Nodes of a selector")))
    actions = {"Evict", "Delete", "Wait", "Keep"}
    assert named - actions == all_reasons()


@pytest.mark.parametrize(("name", "expected"), [
    ("kSucceeded", words(calls("succeed"))), ("kFailed", words(calls("fail", "give_up"))),
    ("kWaiting", waiting_reasons()), ("kBlockers", blocker_reasons())])
def test_the_metrics_know_exactly_the_reasons_of_the_sources(name, expected):
    header = (REPOSITORY / "reconcilers/reasons.hpp").read_text(encoding="utf-8")
    assert words([re.search(rf"\b{name} =(.*?);", header, re.S)[1]]) == expected


def test_the_reference_has_a_heading_for_each_condition():
    header = (REPOSITORY / "crd/node_removal.hpp").read_text(encoding="utf-8")
    headings = " ".join(re.findall("^### (.*)", section(REFERENCE, "Conditions"), re.M))
    assert set(re.findall("`(.*?)`", headings)) == set(re.findall(r'string_view k(\w+) = "\1"', header))


def test_each_reason_that_blocks_or_waits_has_its_commands():
    assert set(re.findall("^### `(.*)`", BLOCKERS, re.M)) == blocker_reasons() | waiting_reasons()


def test_the_table_of_blockers_in_the_readme_is_complete():
    table = section(PAGES["README.md"], "What blocks my removal?")
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall("`(.*?)`", row)}
    assert named == blocker_reasons()


def test_the_reference_has_exactly_the_options_of_the_program():
    source = (REPOSITORY / "controller/options.cpp").read_text(encoding="utf-8")
    table = section(REFERENCE, "Options of the operator")
    named = {name for row in re.findall(r"^\| (.*?) \|", table, re.M) for name in re.findall("`(--.*?)`", row)}
    assert named == set(re.findall(r'"(--[a-z-]+)"', source)) | {"--help"}


def test_the_page_of_the_plugin_has_exactly_its_flags_verbs_and_exit_codes():
    folder, page = REPOSITORY / "controller/plugin", PAGES["plugin.md"]
    source = (folder / "command_line.cpp").read_text(encoding="utf-8")
    assert set(re.findall("`(--[a-z-]+)", page)) == set(re.findall(r'"(?:-\w,)?(--[a-z-]+)"', source)) | {"--help"}
    verbs = " ".join(re.findall(r"^\| (.*?) \|", section(page, "Verbs"), re.M))
    assert set(re.findall(r"`([a-z]+)[ `]", verbs)) == set(re.findall(r'Verb::\w+,\s*"(\w+)"', source))
    codes = set(re.findall(r"= (\d),", (folder / "exit_code.hpp").read_text(encoding="utf-8")))
    assert first_cells_plain(section(page, "Exit codes and scripts")) == codes | {"130"}


def test_the_reference_has_exactly_the_metrics_of_the_program():
    text = "".join(path.read_text(encoding="utf-8") for folder in ("controller", "reconcilers")
                   for path in (REPOSITORY / folder).glob("*.cpp"))
    metrics = set(re.findall(r'"((?:controller_runtime|workqueue|rest_client|leader_election|noderemoval|process)_\w+)"',
                             text))
    table = section(REFERENCE, "Metrics")
    named = {name for row in re.findall(r"^\| (.*?) \|", table, re.M) for name in re.findall("`([a-z_]+)`", row)}
    assert named == {name for name in metrics if not name.startswith("process_")}
    assert "`process_*`" in table


@pytest.mark.parametrize("page", PAGES)
def test_links_between_the_pages_lead_somewhere(page):
    folder = REPOSITORY if page == "README.md" else REPOSITORY / "docs"
    for target, anchor in re.findall(r"\]\(([\w./]*)(?:#([\w-]+))?\)", PAGES[page]):
        path = folder / target if target else folder / page
        assert path.exists(), target
        headings = re.findall("^#+ (.*)", path.read_text(encoding="utf-8"), re.M) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"

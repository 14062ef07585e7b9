"""An operator that does what it must not. Its sources are copied and changed, and linked into the real program."""

from mutants import ROOT, Builder

PROGRAM = "noderemoval"
VARIABLE = "NODEREMOVAL_TEST_FAULT"
# One program has all faults, and each process the one that this variable names.
PREAMBLE = f"""
#include <cstdlib>
#include <string_view>
namespace {{
[[maybe_unused]] bool has_fault(std::string_view name) {{
  const char* wanted = std::getenv("{VARIABLE}");
  return wanted != nullptr && name == wanted;
}}
}}  // namespace
"""
# Source file, a text that is in it once, and what comes in its place.
CHANGES = [
    ("controller/delete_options.cpp", 'out["uid"] = uid;', """
  const bool of_node = !resource_version.empty();
  if (!has_fault(of_node ? "Node without UID" : "pod without UID")) out["uid"] = uid;"""),
    ("reconcilers/act.cpp", 'bj::object patch{{"metadata", std::move(metadata)},\n'
     '                     {"spec", bj::object{{"unschedulable", true}, {"taints", cordon.taints}}}};', """
    if (has_fault("labels")) metadata["labels"] = nullptr;
    if (has_fault("finalizers")) metadata["finalizers"] = nullptr;
    if (has_fault("taints")) cordon.taints.clear();
    bj::object patch{{"metadata", std::move(metadata)},
                     {"spec", bj::object{{"unschedulable", true}, {"taints", cordon.taints}}}};"""),
    ("reconcilers/pod_requests.cpp", "co_await client.evict(evict->pod, grace, false)}", """
        has_fault("grace 0") ? co_await client.delete_pod(evict->pod, std::chrono::seconds{0})
                             : co_await client.evict(evict->pod, grace, false)}"""),
    ("reconcilers/act.cpp", "if (const auto* cordon = std::get_if<Cordon>(&action))", """
    if (has_fault("no cordon") && std::holds_alternative<Cordon>(action)) co_return co_await delete_node();
    if (const auto* cordon = std::get_if<Cordon>(&action))"""),
    ("reconcilers/gate.cpp", "if (!fresh.removal.spec.delete_node) return", """
  if (has_fault("no cordon")) return std::nullopt;
  if (!fresh.removal.spec.delete_node) return"""),
]


def build(operator):
    """The faulty twin of this operator, which lies in the folder that it was built in."""
    builder = Builder(operator.resolve().parent, [PROGRAM])
    sources = {source: (ROOT / source).read_text(encoding="utf-8") for source, _, _ in CHANGES}
    for source, old, new in CHANGES:
        if sources[source].count(old) != 1:
            raise RuntimeError(f"{source} does not have exactly once what a fault changes: {old}")
        sources[source] = sources[source].replace(old, new)
    changed = [builder.compile(source, PREAMBLE + text) for source, text in sources.items()]
    return builder.link(PROGRAM, *changed)


def with_fault(name):
    """What the faulty operator is to be started through."""
    return ("env", f"{VARIABLE}={name}")

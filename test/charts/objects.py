"""Kubernetes objects in YAML, and how two of them differ."""

import yaml

ABSENT = "absent"


def by_name(text):
    """Maps name_of(object) to the object, for all documents of a YAML text."""
    found = {}
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if document is None:
            continue
        name = name_of(document)
        assert name not in found, f"{name} is there twice"
        found[name] = document
    return found


def name_of(document):
    """Kind, namespace if any, and name: "Role kube-node-lease/reader"."""
    metadata = document["metadata"]
    return f"{document['kind']} " + "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))


def difference(before, after):
    """Maps a path to what is there after, for each place where two objects differ.

    Goes into lists of one element, like the containers of our pod; other lists differ as a whole.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {key: (before.get(key, ABSENT), after.get(key, ABSENT)) for key in before | after}
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) == 1:
        pairs = {0: (before[0], after[0])}
    else:
        return {} if before == after else {(): after}
    return {(key, *path): value for key, pair in pairs.items() for path, value in difference(*pair).items()}

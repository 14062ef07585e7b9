"""Makes the image of the operator, the one that is shipped."""

import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "noderemoval"
TAG = re.search(r"project\(noderemoval VERSION ([\d.]+)",
                (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8"))[1]


def write(operator, folder):
    """Returns the tar of the image."""
    subprocess.run([REPOSITORY / "test/image/build", "--from", operator.parent, "--output", folder], check=True)
    return folder / "noderemoval.tar"

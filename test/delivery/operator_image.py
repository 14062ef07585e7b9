"""Makes the image of the operator, the one that is shipped, by the name that the chart takes."""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def write(operator, folder):
    """Returns the tar of the image."""
    subprocess.run([REPOSITORY / "test/image/build", "--from", operator.parent, "--output", folder], check=True)
    return folder / "noderemoval.tar"

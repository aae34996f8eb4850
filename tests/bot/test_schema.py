"""Whatever the OpenAPI document allows, and much that it does not, is answered as the document says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.chain import Chain
from tests.serving import served

# Not every text that is valid is a question: white space alone, for example, is refused. And 1.0 passes for 1.
UNCHECKED = "positive_data_acceptance,negative_data_rejection"


@pytest.mark.slow
def test_the_server_does_what_its_description_says(shipped_chain: Chain, tmp_path: Path) -> None:
    command = "import schemathesis.cli; schemathesis.cli.schemathesis()"
    with served(shipped_chain) as address:
        done = subprocess.run(
            [
                sys.executable, "-c", command, "run", f"{address}/api/openapi.json", "--no-color", "--checks", "all",
                "--exclude-checks", UNCHECKED, "--phases", "examples,coverage,fuzzing", "--max-examples", "20",
                "--max-time", "25", "--seed", "1", "--suppress-health-check", "all",
                "--generation-database", ":memory:",
            ],
            capture_output=True, text=True, cwd=tmp_path, timeout=300,
        )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    generated = re.search(r"(\d+) generated, (\d+) passed", said)
    assert generated, said[-4000:]
    assert int(generated[1]) >= 100
    assert generated[1] == generated[2]

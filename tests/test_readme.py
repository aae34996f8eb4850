"""What the README promises can be done as it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_python_examples_run(
    shipped_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAPBOT_HOME", str(shipped_home))
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)
    said = capsys.readouterr().out
    assert len(examples) == 2
    assert "China" in said
    assert "A GPU HOUR IS" in said
    assert "gl-gpu-hour" in said

"""The rules of the house that no reviewer should have to watch: who imports whom, and how long a module may be."""

import ast
import doctest
import importlib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("corpus", "index", "bot")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
ROOMS = (
    "chromadb",
    "onnxruntime",
    "sentence_transformers",
    "torch",
    "gradio",
    "uvicorn",
    "mcp",
    "limits",
    "prometheus_client",
    "safetensors",
    "Stemmer",
    "babel",
    "httpx",
    "ray",
)
MAX_LINES = 300


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the top-level packages that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            found.add((node.module or "").split(".")[0])
    return frozenset(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    later = {*PACKAGES[PACKAGES.index(package) + 1 :], "tests"}
    wrong = {name(p): sorted(imported(p) & later) for p in MODULES if name(p).startswith(f"{package}/")}
    assert {module: found for module, found in wrong.items() if found} == {}


@pytest.mark.parametrize("library", ROOMS)
def test_a_library_is_imported_in_one_module_only(library: str) -> None:
    # Training is a program of its own, which is not shipped: it needs torch throughout.
    shipped = [p for p in MODULES if "training" not in p.parts]
    assert len([name(p) for p in shipped if library in imported(p)]) <= 1


def test_chat_models_are_reached_in_one_module_only() -> None:
    assert [name(p) for p in MODULES if "init_chat_model" in p.read_text(encoding="utf-8")] == ["bot/llm.py"]


def test_fastapi_is_imported_only_where_routes_are() -> None:
    rooms = {
        "bot/server.py",
        "bot/failures.py",
        "bot/api.py",
        "bot/openai_api.py",
        "bot/page_api.py",
        "bot/keeper_page.py",
    }
    assert {name(p) for p in MODULES if {"fastapi", "starlette"} & imported(p)} == rooms


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", [p for p in MODULES if ">>> " in p.read_text(encoding="utf-8")], ids=name)
def test_the_examples_in_docstrings_hold(path: Path) -> None:
    module = importlib.import_module(name(path).removesuffix(".py").replace("/", "."))
    assert doctest.testmod(module).failed == 0

# make chat    install what is needed, then serve the page (options: make chat ARGS="--port 8000")
# make test    install the tools as well, then run every test
# make check   formatting, lint, types and the fast tests
# make clean   remove the virtual environment and all caches

VENV := .venv
BIN := $(VENV)/bin
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(RECENT)' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: chat test check clean
.DELETE_ON_ERROR:

chat: $(VENV)/installed
	@$(BIN)/gapbot chat $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser and not slow"

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: pip runs again only when pyproject.toml is newer. What dev installs includes what chat needs.
$(VENV)/installed: pyproject.toml | $(VENV)/pyvenv.cfg
	$(call install,-e .,gapbot and what it needs (once; some minutes and about 2 GB))

$(VENV)/installed-dev: pyproject.toml | $(VENV)/pyvenv.cfg
	$(call install,-e '.[dev]',gapbot with its test tools (once; some minutes and about 2.5 GB))
	@touch $(VENV)/installed

$(VENV)/pyvenv.cfg:
	@test -n '$(PYTHON)' || { \
		echo "gapbot needs Python 3.11 or newer and found none: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@'$(PYTHON)' -c '$(RECENT)' || { \
		echo "gapbot needs Python 3.11 or newer, and $(PYTHON) is older or missing: name another with make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@'$(PYTHON)' -m venv $(VENV) >/dev/null || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment: install its venv module (on Debian: apt install python3-venv)"; exit 1; } >&2

# pip, on one line that moves along. A pipe hides pip's exit status; the stamp does not.
define install
@echo 'Installing $(2)'
@rm -f $@; tty=; test -t 1 && tty=1; \
{ $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off $(1) 2>&1 && touch $@; } | \
tee $(VENV)/install.log | while IFS= read -r line; do case "$$line" in \
	Collecting*|*Downloading*|Installing\ collected*) test -z "$$tty" || printf '\r\033[K  %.70s' "$$line";; \
esac; done; \
test -z "$$tty" || printf '\r\033[K'; \
test -f $@ || { grep -v '^WARNING' $(VENV)/install.log | tail -n 25; \
	echo 'The installation failed (all of it: $(VENV)/install.log). Run make again to go on.'; exit 1; } >&2
endef

# Two commands do all the set-up on a fresh machine with Python 3.11 or newer:
#   make demo    make the environment, grade a sample class, leave the report in demo/report/
#   make test    make the environment, pass the whole suite

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test clean

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in $(VENV); torch is large, so this takes minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/python -m grader.authoring.sample_class demo/class --students 30
	$(BIN)/learn grade demo/class -o demo/report --title "Sample class"
	@echo "The report: demo/report/index.html"

test: $(READY)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache

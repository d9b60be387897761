# Each target sets up .venv when it is not there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Where `make demo` serves the site: make demo PORT=8001.
PORT ?= 8000
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-fast check fix bench drill docs lock assets clean

demo: .venv/.run
	$(BIN)/wufei --data var/demo demo --port $(PORT)

test: .venv/.dev
	tools/install_test_system
	$(BIN)/pytest -q -n 2 --dist loadgroup
	WUFEI_TEST_DATABASE=postgresql $(BIN)/pytest -q -n 2 --dist loadgroup -m "not any_database" tests/rooms

test-fast: .venv/.dev
	$(BIN)/pytest -q -n 2 -m "not browser and not slow"

check: .venv/.dev
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -r src -lll

fix: .venv/.dev
	$(BIN)/ruff check --fix src tests benchmarks tools
	$(BIN)/ruff format src tests benchmarks tools

bench: .venv/.dev
	$(BIN)/python -m benchmarks import single pages

drill: .venv/.dev
	tools/install_test_system
	$(BIN)/python -m benchmarks.drill
	$(BIN)/python -m benchmarks.drill --control --kills 5 --up 4

docs: .venv/.dev
	tools/install_test_system
	$(BIN)/python tools/write_reference.py
	$(BIN)/python tools/take_screenshots.py

lock: .venv/.dev
	tools/lock

assets:
	tools/vendor_assets

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements/run.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@ .venv/.run

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache

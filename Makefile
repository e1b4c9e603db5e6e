# make avatar    install what is needed, then make an avatar of PHOTO
# make test      install what the tests need too, then run them
# make check     format, lint and types

PHOTO ?= lookalike/assets/sample.jpg
OUT ?= out
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.10 || echo python3)

.PHONY: avatar install install-dev test check clean
.DELETE_ON_ERROR:

avatar: install
	$(VENV)/bin/lookalike make $(PHOTO) -o $(OUT)

install: $(VENV)/installed
install-dev: $(VENV)/installed-dev

# The constraints are the tested versions. Reinstalled when the package's own files change; without build/, from which
# setuptools would pack files that are gone.
SOURCES := pyproject.toml constraints.txt $(shell find lookalike -type f -not -path '*/__pycache__/*')

$(VENV)/installed: $(SOURCES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	rm -rf build
	$(VENV)/bin/python -m pip install -c constraints.txt .
	touch $@

$(VENV)/installed-dev: $(SOURCES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	rm -rf build
	$(VENV)/bin/python -m pip install -c constraints.txt ".[dev]"
	touch $@ $(VENV)/installed

test: install-dev
	$(VENV)/bin/python -m pytest -q

check: install-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

clean:
	rm -rf build lookalike.egg-info

# Every command prepares the environment first. The work itself is in book/_tools.
BOOT := $(shell test -x .venv/bin/python && echo .venv/bin/python -I || command -v python3 || command -v python3.13 || command -v python3.12 || command -v python3.11)
RUN := .venv/bin/python
LAB_OPTIONS :=

.PHONY: help environment report html pdf lab test lock datapackage benchmarks clean

help:
	@echo "make report       the HTML site and the PDF, from the tables to the printed page"
	@echo "make html         the HTML site alone"
	@echo "make lab          the notebooks in JupyterLab, offline"
	@echo "make test         every check: stored outputs, data, site, PDF"
	@echo "make datapackage  write data/datapackage.json after a table was added or changed"
	@echo "make lock         write requirements.lock.txt after requirements.txt was changed"
	@echo "make benchmarks   measure how long things take and how much pages weigh"
	@echo "make environment  the Python environment alone (in .venv)"
	@echo "make clean        remove what builds leave"
	@echo "Another Python: make PYTHON=/path/to/python3.12 report"

environment:
	@test -n "$(BOOT)" || { echo "Python 3.11 or newer is needed and none was found: install it, then run the command again." >&2; exit 1; }
	@$(BOOT) book/_tools/environment.py

report html: environment
	@$(RUN) book/_tools/build.py $@

pdf: report

test: environment
	@$(RUN) book/_tools/build.py check

# News, update checks and the extension index are off (book/_tools/jupyter): nothing asks the network.
lab: environment
	@JUPYTER_CONFIG_PATH="$(CURDIR)/book/_tools/jupyter" $(RUN) -m jupyterlab --notebook-dir=notebooks \
		$(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_OPTIONS)

datapackage: environment
	@$(RUN) book/_tools/datapackage.py

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: install it with 'python3 -m pip install uv', then run the command again." >&2; exit 1; }
	@uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--quiet --output-file requirements.lock.txt

benchmarks: environment
	@$(RUN) tests/benchmarks/measure.py

clean:
	@rm -rf _build book/tables
	@echo "Removed _build and the generated data pages. The environment stays in .venv: rm -r .venv removes it."

# Everything happens in .venv; a second call of any target installs nothing.
PYTHON ?= python3
PORT ?= 8501
# test files at a time; a third of the time is waiting, for browsers and for processes
WORKERS ?= 2
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready

.PHONY: setup app test test-hard check-data bench audit fuzz

setup: $(READY)

$(READY): requirements.txt requirements-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --quiet -r requirements.txt -r requirements-test.txt
	touch $@

app: setup
	$(RUN) -m streamlit run app.py --server.port $(PORT) --server.address localhost --server.headless true

test: setup
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m "not hard and not check_data" -n $(WORKERS) --no-loadscope-reorder

# what it prints is kept in build/printed; the class of thirty comes last, as it needs the machine for itself
test-hard: setup
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m "hard and not alone" -n $(WORKERS) --no-loadscope-reorder --timeout 3600
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m "hard and alone"
	@tail -n 20 build/printed/*

check-data: setup
	@test -n "$(DATA)" || { echo "Say where the pictures are: make check-data DATA=cifar10-jpeg.zip (train/<class>/*, test/<class>/*)"; exit 2; }
	CHECK_DATA="$(DATA)" $(RUN) -m pytest -m check_data --timeout 3600

# files changed at random through every door; a fault is kept with its seed: make fuzz SECONDS=600 SEED=1
fuzz: setup
	OMP_NUM_THREADS=1 $(RUN) -m tests.reliability.fuzz --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

bench: setup
	$(RUN) -m resnet_viz bench

# the installed packages against the public list of known vulnerabilities; needs the internet, and fails where it cannot ask
audit: setup
	test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install --quiet pip-audit==2.10.1; }
	$(VENV)/audit/bin/pip-audit --strict --progress-spinner off --path "$$($(RUN) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

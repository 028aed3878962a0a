# Everything a person does with this project, by name. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH,CI,LAB_RELEASE,ACCELERATE)
# ACCELERATE=1 runs the playbooks through mitogen: the same results with fewer round trips. Everything also passes without it.
ifdef ACCELERATE
export ACCELERATE
export ANSIBLE_STRATEGY := mitogen_linear
export ANSIBLE_STRATEGY_PLUGINS := $(wildcard $(VENV)/lib/python3*/site-packages/ansible_mitogen/plugins/strategy)
endif
.PHONY: help setup demo lab site lab-down lab-status check lint unit content integration molecule acceptance long test \
        bench bench-booking bench-reach collection lock docs clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv from the hash-locked requirements (quick when nothing changed)
	@requirements/setup.sh

demo: ## everything from nothing: set-up, lab, booking service, a crowd of customers, a rolling release, the audit, a report
	@started=$$SECONDS; $(MAKE) --no-print-directory setup; SETUP_SECONDS=$$((SECONDS - started)) lab demo

lab: setup ## build the three sites on this machine and join them (repeat it whenever in doubt)
	@lab up

site: lab ## bring the booking service on the lab to its state (playbooks/site.yml)
	@ansible-playbook playbooks/site.yml

lab-down: setup ## remove the lab, also a broken one; images stay cached
	@lab down

lab-status: setup ## a table of hosts: site, address, up or not, services, faults in force
	@lab status

check: lint unit content ## the fast part of the tests, under a minute

lint: setup ## ruff, mypy strict, yamllint, ansible-lint (profile production)
	@tests/lint.sh

unit: setup ## pure decisions, no processes
	@pytest -q tests/unit

content: setup ## the project read as data: interfaces, import table, docs
	@pytest -q tests/content

integration: setup ## real commands against recorded or faked services, two files of tests at a time
	@pytest -q -n 2 --dist loadfile -m 'not long' tests/integration

molecule: setup ## every role on fresh Debian hosts: converge, idempotence, verify
	@$(SUDO) tests/molecule.sh

acceptance: site ## the issue's promises, driven through the running lab
	@$(SUDO) $(VENV)/bin/pytest -v tests/acceptance

long: site ## what takes longest: a crowd answered with servers, faults while scaling, the longest scenarios, backups restored and damaged, builds and releases killed at random
	@$(SUDO) $(VENV)/bin/pytest -v -s tests/long
	@$(SUDO) tests/molecule.sh runner monitoring backup database vpn_rotation
	@$(SUDO) $(VENV)/bin/pytest -v -s tests/interruption
	@pytest -v -m long tests/integration

test: setup ## check, the demonstration, integration, acceptance, molecule (over an hour); make long has the rest
	@$(SUDO) tests/all.sh

bench: setup ## measure the inventory plugin (bench/inventory)
	@python bench/inventory/run.py

bench-reach: setup ## measure on the running lab how fast an alert becomes servers that sell (bench/reach)
	@$(SUDO) $(VENV)/bin/python -m bench.reach.run

bench-booking: site ## bookings per core second on the lab beside pgbench on the same database (reports/bench-booking.json)
	@$(SUDO) $(VENV)/bin/python -m bench.booking

collection: setup ## build the tree as the Ansible collection understudy.hybrid into build/
	@ansible-galaxy collection build --force --output-path build

lock: setup ## resolve the requirements anew and write the lock files
	@requirements/lock.sh

docs: setup ## regenerate the generated pages (role tables, module table)
	@python docs/generate.py

clean: ## remove what make made in this folder (not the lab: make lab-down)
	@rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache build reports

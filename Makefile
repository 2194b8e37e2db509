# Thin names for ./pilvi, which does the work. `make sim SEEDS=5000 SEED=1 STEPS=6000`

SEEDS ?= 1000
SEED ?= 1
STEPS ?= 6000
JOBS ?= $(shell nproc)

.PHONY: help check test sim up

help:  ## This list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

check:  ## Format, lint, types, import contracts, house rules.
	./pilvi check

test:  ## Everything, as CI does.
	./pilvi test

sim:  ## Many seeds of the simulation; ends at the first that finds something.
	./pilvi sim --seed $(SEED) --seeds $(SEEDS) --steps $(STEPS) --jobs $(JOBS)

up:  ## A cloud on this machine.
	./pilvi up

"""Day one and day two on one machine: set up, supervise, show, probe, take down. A client of the APIs only."""

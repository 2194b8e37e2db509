from pilvi.placement.checks import rule

LIST = rule("allocation_candidates:list", "Ask where a request fits.")

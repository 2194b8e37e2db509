"""The invariants, and passes over them."""

from pilvi.ops.audit.service.invariants import INVARIANTS
from pilvi.ops.audit.service.passes import BUDGET_S, check_now, examine, turn, verdicts

__all__ = ["BUDGET_S", "INVARIANTS", "check_now", "examine", "turn", "verdicts"]

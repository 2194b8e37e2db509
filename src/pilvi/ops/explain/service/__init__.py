"""Finding what is meant, and telling why it is as it is."""

from pilvi.ops.explain.service.finding import explain
from pilvi.ops.explain.service.past import history_of, state_at
from pilvi.ops.explain.service.trial import why_not

__all__ = ["explain", "history_of", "state_at", "why_not"]

"""Which endpoints a project sees in its catalog: single ones, or groups chosen by a filter (OS-EP-FILTER)."""

"""Placement is for services and administrators."""

from pilvi.kernel.policy import Check, Rule, admin_or_service


def rule(name: str, description: str, default: Check = admin_or_service) -> Rule:
    return Rule(f"placement:{name}", default, description)

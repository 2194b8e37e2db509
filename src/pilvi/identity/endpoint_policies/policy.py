from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import Rule, admin

LIST_ENDPOINTS = rule("list_endpoints_for_policy", checks.system_reader, "List the endpoints of a policy document.")
SHOW_OF_ENDPOINT = rule("get_policy_for_endpoint", checks.system_reader, "Show the policy document of an endpoint.")


def _three(kind: str, text: str) -> dict[str, Rule]:
    return {
        "create": rule(f"create_policy_association_for_{kind}", admin, f"Give {text} a policy document."),
        "check": rule(f"check_policy_association_for_{kind}", checks.system_reader, f"Check the policy of {text}."),
        "delete": rule(f"delete_policy_association_for_{kind}", admin, f"Take the policy document from {text}."),
    }


ENDPOINT = _three("endpoint", "an endpoint")
SERVICE = _three("service", "a service")
REGION = _three("region_and_service", "a service in a region")

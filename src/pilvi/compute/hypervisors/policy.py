"""Hypervisors are for operators."""

from pilvi.kernel.policy import Rule, admin

LIST = Rule("os_compute_api:os-hypervisors:list", admin, "List hypervisors.")
DETAIL = Rule("os_compute_api:os-hypervisors:list-detail", admin, "List hypervisors with details.")
SHOW = Rule("os_compute_api:os-hypervisors:show", admin, "Show a hypervisor.")
STATISTICS = Rule("os_compute_api:os-hypervisors:statistics", admin, "Sum up all hypervisors.")
UPTIME = Rule("os_compute_api:os-hypervisors:uptime", admin, "Show a hypervisor's uptime.")
SEARCH = Rule("os_compute_api:os-hypervisors:search", admin, "Find hypervisors by name.")
SERVERS = Rule("os_compute_api:os-hypervisors:servers", admin, "List the servers of hypervisors.")

"""Compute services are for operators."""

from pilvi.kernel.policy import Rule, admin

LIST = Rule("os_compute_api:os-services:list", admin, "List compute services.")
UPDATE = Rule("os_compute_api:os-services:update", admin, "Enable, disable or force down a compute service.")

"""Every table is remembered, or somebody has said why not."""

from pilvi import main
from pilvi.kernel import history
from pilvi.kernel.db import REMEMBERED, metadata
from pilvi.ops.make_migration import load_tables

TOKEN = "a token or what guards one: it lives for minutes, and no API changes it"
COUNTER = "a counter or a pointer that says nothing by itself"
HISTORY = "is itself what happened"
COPY = "says again what a remembered table says: "

NOT_REMEMBERED = {
    "compute_console_tokens": TOKEN,
    "compute_instance_action_events": HISTORY,
    "compute_instance_actions": HISTORY,
    "identity_directory_entries": COPY + "which entry of a directory a remembered user or group is",
    "identity_epochs": COUNTER,
    "identity_keys": "nothing but secrets; they are made and dropped by time",
    "identity_oauth_nonces": TOKEN,
    "identity_old_passwords": "nothing but secrets; that a password changed is remembered with its user",
    "identity_remote_ids": COPY + "the remote_ids of an identity provider",
    "identity_revocations": TOKEN,
    "identity_used_passcodes": TOKEN,
    "kernel_events": HISTORY,
    "kernel_hosts": "what hosts say of themselves every few seconds; their troubles are events of their own",
    "kernel_idempotency": "answers of requests, which are events",
    "kernel_migrations": HISTORY,
    "kernel_work": "what is to be looked at next; turns that changed or failed are events",
    "network_cursors": COUNTER,
    "network_default_security_groups": COUNTER,
    "network_ip_allocations": COPY + "the fixed_ips of ports",
    "network_security_group_ports": COPY + "the security_groups of ports",
    "ops_audit_verdicts": "each beginning and end of a violation is an event",
    "ops_history": HISTORY,
}


def test_every_table_is_remembered_or_waived() -> None:
    for service in main.SCHEMA:
        load_tables(service)
    remembered = {name for name, table in metadata.tables.items() if REMEMBERED in table.info}
    assert metadata.tables.keys() - remembered - NOT_REMEMBERED.keys() == set()
    assert NOT_REMEMBERED.keys() & remembered == set()
    assert NOT_REMEMBERED.keys() - metadata.tables.keys() == set()
    assert all(kind in history.TRACKED for kind in history.PARTS)
    assert [kind for kind in history.TRACKED if len(kind) > 32] == []

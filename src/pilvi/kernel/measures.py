"""Everything that is measured in a cloud, by name. What is not here is not exposed; no label is a name a user chose.

Units are in the names. `process`, `worker` and `host` are added by whoever gathers (pilvi.ops.monitoring).
"""

from typing import Final

from pilvi.kernel.metrics import CATALOGUE as CATALOGUE  # Whoever takes it from here has it filled.
from pilvi.kernel.metrics import Measure, counted, counter, gauge, histogram

# -- every process of ours -------------------------------------------------------------------------------------------

PROCESS_CPU: Final = counted("process_cpu_seconds_total", "User and system CPU time spent.")
PROCESS_MEMORY: Final = gauge("process_resident_memory_bytes", "Resident memory.")
PROCESS_START: Final = gauge("process_start_time_seconds", "When the process started, since the epoch.")
PROCESS_FILES: Final = gauge("process_open_fds", "Open file descriptors.")
PROCESS_THREADS: Final = gauge("process_threads", "Threads.")

# -- requests --------------------------------------------------------------------------------------------------------

REQUESTS: Final = counter(
    "pilvi_http_requests_total", "Requests answered, by route template and status.", "service", "route", "status"
)
REQUEST_SECONDS: Final = histogram(
    "pilvi_http_request_seconds", "From the first look at a request to its ready answer.", "service", "route"
)

REQUESTS_WAITING: Final = gauge("pilvi_http_requests_waiting", "Requests that wait for a thread of the process.")
CONNECTIONS: Final = gauge("pilvi_http_connections", "Connections to the process, idle ones included.")

# -- database --------------------------------------------------------------------------------------------------------

COMMIT_SECONDS: Final = histogram(
    "pilvi_database_commit_seconds", "How long making a batch of transactions durable took."
)

# -- control-side loops ----------------------------------------------------------------------------------------------

LOOP_TURNS: Final = counter("pilvi_loop_turns_total", "Turns of loops: done, waiting or failed.", "kind", "outcome")
LOOP_SECONDS: Final = histogram("pilvi_loop_turn_seconds", "How long a turn of a loop took.", "kind")
WORK_ROWS: Final = gauge("pilvi_work_rows", "Keys that loops still look after.", "kind")
WORK_OLDEST: Final = gauge("pilvi_work_oldest_seconds", "Age of the oldest key that a loop looks after.", "kind")
WORK_OVERDUE: Final = gauge("pilvi_work_overdue_seconds", "How long the ripest key has waited for a loop.", "kind")
WORK_LEASED: Final = gauge("pilvi_work_leased", "Keys that a loop holds a lease of.", "kind")
WORK_FAILING: Final = gauge("pilvi_work_failing", "Keys whose last turn failed.", "kind")

# -- the cloud as a whole --------------------------------------------------------------------------------------------

SERVERS: Final = gauge("pilvi_servers", "Servers by vm_state.", "state")
SERVERS_CHANGING: Final = gauge("pilvi_servers_changing", "Servers in a transition.")
SERVERS_CHANGE_AGE: Final = gauge("pilvi_servers_oldest_change_seconds", "Age of the oldest transition of a server.")
AUDIT_VIOLATIONS: Final = gauge("pilvi_audit_violations", "What breaks an invariant.", "invariant")
AUDIT_OBJECTS: Final = gauge("pilvi_audit_objects", "What was looked at for an invariant.", "invariant")
AUDIT_AGE: Final = gauge("pilvi_audit_age_seconds", "Since an invariant was last looked at.", "invariant")
AUDIT_SECONDS: Final = gauge("pilvi_audit_pass_seconds", "How long the last look took.", "invariant")

# -- hosts, as the control plane sees them ---------------------------------------------------------------------------

HOST_UP: Final = gauge("pilvi_host_up", "1 if the host's agent reported lately.")
HOST_CONNECTED: Final = gauge("pilvi_host_connected", "1 if the host's agent holds its line to live.")
HOST_REPORT_AGE: Final = gauge("pilvi_host_report_age_seconds", "Since the last report of the host's agent.")
HOST_BEHIND: Final = gauge("pilvi_host_revisions_behind", "Changes that the host has not applied yet.")
HOST_CAPACITY: Final = gauge("pilvi_host_capacity", "What may be claimed of a host, ratios included.", "resource")
HOST_CLAIMED: Final = gauge("pilvi_host_claimed", "What is claimed of a host.", "resource")

# -- hosts, as their agents see them ---------------------------------------------------------------------------------

HOST_CPU: Final = counted("pilvi_host_cpu_seconds_total", "CPU time of the machine by mode.", "mode")
HOST_LOAD: Final = gauge("pilvi_host_load1", "Processes that run or want to, mean of a minute.")
HOST_CPUS: Final = gauge("pilvi_host_cpus", "Processors of the machine.")
HOST_MEMORY: Final = gauge("pilvi_host_memory_bytes", "Memory of the machine.")
HOST_MEMORY_FREE: Final = gauge("pilvi_host_memory_available_bytes", "Memory that can still be had.")
HOST_DISK: Final = gauge("pilvi_host_disk_bytes", "Size of the file system that guests' disks are on.")
HOST_DISK_FREE: Final = gauge("pilvi_host_disk_free_bytes", "What is free of it.")

AGENT_TURNS: Final = counter("pilvi_agent_turns_total", "Turns of the host's loop.", "outcome")
AGENT_TURN_SECONDS: Final = histogram("pilvi_agent_turn_seconds", "How long a turn of the host's loop took.")
DRIVER_CALLS: Final = counter("pilvi_driver_calls_total", "Calls to the host's drivers by outcome.", "step", "outcome")
DRIVER_SECONDS: Final = histogram("pilvi_driver_call_seconds", "How long calls to the host's drivers took.", "step")

# -- guests ----------------------------------------------------------------------------------------------------------

GUESTS: Final = gauge("pilvi_guests", "Guests that run on the host.")
GUEST_CPU: Final = counted("pilvi_guest_cpu_seconds_total", "CPU time that a guest used.", "server_id")
GUEST_MEMORY: Final = gauge("pilvi_guest_memory_bytes", "Real memory that a guest occupies.", "server_id")
GUEST_READ: Final = counted("pilvi_guest_disk_read_bytes_total", "What a guest made the disks read.", "server_id")
GUEST_WRITTEN: Final = counted(
    "pilvi_guest_disk_written_bytes_total", "What a guest made the disks write.", "server_id"
)
GUEST_RECEIVED: Final = counted("pilvi_guest_network_received_bytes_total", "What reached a guest.", "server_id")
GUEST_SENT: Final = counted("pilvi_guest_network_sent_bytes_total", "What a guest sent.", "server_id")
GUEST_DROPPED: Final = counted(
    "pilvi_guest_network_dropped_total", "Packets of a guest that were dropped.", "server_id"
)

# -- what keeps the cloud running, and what watches it ---------------------------------------------------------------

PROCESS_UP: Final = gauge("pilvi_process_up", "1 if a process that the supervisor keeps is there.")
PROCESS_RESTARTS: Final = counted("pilvi_process_restarts_total", "How often the supervisor started it again.")
SPANS: Final = counter("pilvi_spans_total", "Spans of traces: sent, lost with a collector, or dropped.", "outcome")
SCRAPE_SOURCES: Final = gauge("pilvi_scrape_source_up", "1 if a source gave its figures to this scrape.", "source")
SCRAPE_SECONDS: Final = gauge("pilvi_scrape_seconds", "How long gathering these figures took.")
HISTORY_SERIES: Final = gauge("pilvi_history_series", "Series in the built-in store's newest row.")

FROM_AGENTS: Final = frozenset(
    measure if isinstance(measure, Measure) else measure.measure
    for measure in (
        PROCESS_CPU, PROCESS_MEMORY, PROCESS_START, PROCESS_FILES, PROCESS_THREADS, HOST_CPU, HOST_LOAD, HOST_CPUS,
        HOST_MEMORY, HOST_MEMORY_FREE, HOST_DISK, HOST_DISK_FREE, AGENT_TURNS, AGENT_TURN_SECONDS, DRIVER_CALLS,
        DRIVER_SECONDS, GUESTS, GUEST_CPU, GUEST_MEMORY, GUEST_READ, GUEST_WRITTEN, GUEST_RECEIVED, GUEST_SENT,
        GUEST_DROPPED, SPANS,
    )
)  # fmt: skip
"""What an agent may speak of: a host that somebody took over cannot tell tales of the rest of the cloud."""


def driver_call(name: str, outcome: str, took_s: float) -> None:
    """One call of a driver, of whatever service, has ended."""
    DRIVER_CALLS.inc(name, outcome)
    DRIVER_SECONDS.observe(took_s, name)

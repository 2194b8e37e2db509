"""What was done with a server: one action per request, one event per step. Outlives the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstanceAction:
    server_id: str
    request_id: str
    action: str
    user_id: str
    project_id: str
    start_time: str
    updated_at: str
    message: str | None


@dataclass(frozen=True, slots=True)
class ActionEvent:
    server_id: str
    request_id: str
    event: str
    start_time: str
    finish_time: str | None
    result: str | None
    traceback: str | None
    host: str
    details: str | None

"""An address scope: subnet pools whose addresses must not overlap, so that they may be routed to each other."""

from dataclasses import dataclass

from pilvi.network.standard.model import Standard


@dataclass(slots=True, kw_only=True)
class AddressScope(Standard):
    ip_version: int
    shared: bool = False

"""What operators see of hypervisors; identifiers and the older numbers depend on the microversion."""

import json
from typing import Annotated, Any, ClassVar

from pilvi.compute.hypervisors.model import Hypervisor
from pilvi.kernel.context import Context
from pilvi.kernel.wire import OMIT, From, Name, Since, Sometimes, Until, View


def _service(h: Hypervisor, ctx: Context) -> dict[str, Any]:
    return {"id": h.id if ctx.version >= 53 else h.number, "host": h.host, "disabled_reason": h.disabled_reason}


def _servers(h: Hypervisor) -> Any:
    return h.servers or OMIT


class HypervisorBrief(View, root="hypervisor", plural="hypervisors", links="hypervisors_links"):
    marker: ClassVar[str] = "id"
    number: Annotated[int, Name("id"), Until("2.52")]
    id: Annotated[str, Since("2.53")]
    hypervisor_hostname: Annotated[str, From(lambda h: h.host)]
    state: str
    status: str
    servers: Annotated[Any, Sometimes(), From(_servers), Since("2.53")]


class HypervisorWithServers(View, plural="hypervisors"):
    """Until 2.52 servers are listed by a path of their own."""

    number: Annotated[int, Name("id")]
    hypervisor_hostname: Annotated[str, From(lambda h: h.host)]
    state: str
    status: str
    servers: Annotated[Any, Sometimes(), From(_servers)]


class HypervisorView(View, root="hypervisor", plural="hypervisors", links="hypervisors_links"):
    number: Annotated[int, Name("id"), Until("2.52")]
    id: Annotated[str, Since("2.53")]
    hypervisor_hostname: Annotated[str, From(lambda h: h.host)]
    state: str
    status: str
    service: Annotated[Any, From(_service)]
    host_ip: Annotated[str, From(lambda h: h.facts["host_ip"])]
    hypervisor_type: Annotated[str, From(lambda h: h.facts["hypervisor_type"])]
    hypervisor_version: Annotated[int, From(lambda h: h.facts["hypervisor_version"])]
    servers: Annotated[Any, Sometimes(), From(_servers), Since("2.53")]
    cpu_text: Annotated[str, Name("cpu_info"), From(lambda h: json.dumps(h.facts["cpu_info"])), Until("2.27")]
    cpu_info: Annotated[Any, From(lambda h: h.facts["cpu_info"]), Since("2.28")]
    vcpus: Annotated[int, From(lambda h: h.facts["vcpus"])]
    vcpus_used: int
    memory_mb: Annotated[int, From(lambda h: h.facts["memory_mib"])]
    memory_mb_used: Annotated[int, From(lambda h: h.memory_used_mib)]
    free_ram_mb: Annotated[int, From(lambda h: h.facts["memory_mib"] - h.memory_used_mib)]
    local_gb: Annotated[int, From(lambda h: h.facts["disk_gib"])]
    local_gb_used: Annotated[int, From(lambda h: h.disk_used_gib)]
    free_disk_gb: Annotated[int, From(lambda h: h.facts["disk_gib"] - h.disk_used_gib)]
    disk_available_least: Annotated[int, From(lambda h: h.facts["disk_free_gib"])]
    running_vms: int
    current_workload: Annotated[int, From(lambda h: 0)]

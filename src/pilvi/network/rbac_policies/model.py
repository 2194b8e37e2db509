"""Who besides the owner may use an object."""

from dataclasses import dataclass, field

EVERYBODY = "*"
SHARED, EXTERNAL = "access_as_shared", "access_as_external"
OBJECT_TYPES = {
    "network": (SHARED, EXTERNAL), "security_group": (SHARED,), "address_scope": (SHARED,), "subnetpool": (SHARED,),
}  # fmt: skip


@dataclass(slots=True)
class RbacPolicy:
    id: str
    project_id: str
    object_type: str
    object_id: str
    action: str
    target_project: str


@dataclass(slots=True)
class Access:
    """Ids of the objects of one type that a project may use although they belong to another."""

    shared: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)

    @property
    def all(self) -> list[str]:
        return sorted(self.shared | self.external)

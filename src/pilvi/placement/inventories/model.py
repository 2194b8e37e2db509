"""One class of resources on one provider, and the pure arithmetic of capacity."""

from dataclasses import dataclass

INT_MOST = 2_147_483_647
CAPACITY_MOST = 2**62
"""What the database can hold; a ratio may be absurdly large."""


@dataclass(frozen=True, slots=True)
class Inventory:
    provider_uuid: str
    resource_class: str
    total: int
    reserved: int
    min_unit: int
    max_unit: int
    step_size: int
    allocation_ratio: float
    used: int
    free: int
    """Capacity less used; below zero when the capacity shrank under what is used."""
    updated_at: str

    @property
    def capacity(self) -> int:
        return capacity(self.total, self.reserved, self.allocation_ratio)

    def takes(self, amount: int) -> bool:
        """Whether this much can be had at once now."""
        fits = self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0
        return fits and amount <= self.free


def capacity(total: int, reserved: int, allocation_ratio: float) -> int:
    return min(int((total - reserved) * allocation_ratio), CAPACITY_MOST)

"""The cloud of compute's tests, with a host, an image and a network."""

from tests.contract.compute.conftest import boot, flavor_id, image_id, network_id, node

__all__ = ["boot", "flavor_id", "image_id", "network_id", "node"]

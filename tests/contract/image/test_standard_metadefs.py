"""The namespaces that a cloud starts with: true, readable by everybody, and put there once."""

from pilvi.compute.drivers.qemu.argv import DISK_DEVICES, NIC_DEVICES, SCREENS
from pilvi.image import facade
from pilvi.image.metadef_namespaces.wire import NAMESPACE, checked
from pilvi.image.metadef_standard import service
from pilvi.image.metadef_standard.model import STANDARD
from pilvi.image.signatures.model import HASHES, KEY_TYPES
from tests.contract.client import Client


def test_they_are_put_there_once(images: Client) -> None:
    assert images.database.write(service.ensure) == [wanted.namespace for wanted in STANDARD]
    assert images.database.write(service.ensure) == []
    images.database.write(facade.bootstrap)
    found = images.get("/metadefs/namespaces?limit=100").body["namespaces"]
    assert sorted(n["namespace"] for n in found) == sorted(wanted.namespace for wanted in STANDARD)
    assert {(n["visibility"], n["protected"]) for n in found} == {("public", True)}


def test_everybody_reads_them_and_administrators_change_them(images: Client) -> None:
    images.database.write(facade.bootstrap)
    path = "/metadefs/namespaces/OS::Compute::LibvirtImage"
    shown = images.as_stranger().get(path).body
    assert shown["properties"]["hw_disk_bus"]["enum"] == ["virtio", "scsi", "sata"]
    assert [t["name"] for t in shown["resource_type_associations"]] == ["OS::Glance::Image"]
    assert images.delete(path).status == 403
    assert images.as_admin().delete(path).status == 403, "It is protected."
    changed = {"namespace": "OS::Compute::LibvirtImage", "protected": False, "visibility": "public"}
    assert images.as_admin().put(path, changed).status == 200
    assert images.as_admin().delete(path).status == 204
    assert images.database.write(service.ensure) == ["OS::Compute::LibvirtImage"]


def test_what_an_administrator_changed_is_left_alone(images: Client) -> None:
    images.database.write(facade.bootstrap)
    path = "/metadefs/namespaces/OS::Compute::Watchdog"
    assert images.as_admin().delete(f"{path}/properties/hw_watchdog_action").status == 204
    images.database.write(facade.bootstrap)
    assert "properties" not in images.get(path).body


def test_each_is_what_the_api_itself_would_take() -> None:
    for wanted in STANDARD:
        properties = {name: dict(definition) for name, definition in wanted.properties.items()}
        tags = [{"name": tag} for tag in wanted.tags]
        body = {"namespace": wanted.namespace, "display_name": wanted.display_name, "properties": properties}
        assert checked(NAMESPACE, {**body, "description": wanted.description, "tags": tags})


def test_they_say_what_hosts_and_the_image_service_really_do() -> None:
    """A device that a driver learns belongs into the description as well."""
    said = {name: set(p.get("enum", ())) for wanted in STANDARD for name, p in wanted.properties.items()}
    assert said["hw_disk_bus"] == set(DISK_DEVICES)
    assert said["hw_vif_model"] == set(NIC_DEVICES)
    assert said["hw_video_model"] == set(SCREENS)
    assert said["img_signature_hash_method"] == set(HASHES)
    assert said["img_signature_key_type"] == set(KEY_TYPES)

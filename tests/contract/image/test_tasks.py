"""Tasks from outside."""

from tests.contract.client import Client
from tests.contract.image.conftest import made


def test_nobody_deletes_a_task(images: Client) -> None:
    """They go by themselves when their time is over; clients are told which methods there are."""
    admin = images.as_admin()
    id = made(images)["id"]
    body = {"type": "import", "input": {"image_id": id, "import_from": "http://1.2.3.4/x", "import_from_format": "raw"}}
    task = admin.post("/tasks", body | {"input": body["input"] | {"image_properties": {}}})
    assert task.status == 201, task.content
    path = f"/tasks/{task.body['id']}"
    refused = admin.delete(path)
    assert refused.status == 405
    allowed = next(value for name, value in refused.headers.items() if name.lower() == "allow")
    assert "DELETE" not in allowed
    assert admin.get(path).body["status"] in ("pending", "processing")

from typing import Any

from tests.contract.network.conftest import Net, refused


def test_a_new_network_has_the_attributes_of_the_api(net: Net) -> None:
    made = net.make("networks", name="blue", description="sky")
    assert made["name"] == "blue"
    assert made["description"] == "sky"
    assert (made["status"], made["mtu"], made["shared"], made["router:external"]) == ("ACTIVE", 1450, False, False)
    assert made["tenant_id"] == made["project_id"] == net.project_id
    assert (made["subnets"], made["tags"], made["revision_number"]) == ([], [], 0)
    assert not any(name.startswith("provider:") for name in made)
    assert made == net.show("networks", made["id"])


def test_an_administrator_sees_and_sets_how_a_network_is_carried(net: Net, admin: Net) -> None:
    made = admin.make("networks", name="n", **{"provider:segmentation_id": 777})
    assert (made["provider:network_type"], made["provider:segmentation_id"]) == ("vxlan", 777)
    again = admin.ask("POST", "/networks", {"network": {"name": "m", "provider:segmentation_id": 777}})
    refused(again, 409, "VniInUse")
    asked = net.ask("POST", "/networks", {"network": {"name": "m", "provider:segmentation_id": 778}})
    refused(asked, 403, "PolicyNotAuthorized")


def test_unsupported_network_types_are_refused(admin: Net) -> None:
    reply = admin.ask("POST", "/networks", {"network": {"provider:network_type": "token-ring"}})
    refused(reply, 400, "InvalidInput")


def test_several_networks_are_made_at_once_or_none(net: Net) -> None:
    reply = net.ask("POST", "/networks", {"networks": [{"name": "a"}, {"name": "b"}]})
    assert reply.status == 201
    assert [one["name"] for one in reply.body["networks"]] == ["a", "b"]
    bad = net.ask("POST", "/networks", {"networks": [{"name": "c"}, {"name": "d", "mtu": 9000}]})
    assert bad.status == 400
    assert sorted(one["name"] for one in net.list("networks")) == ["a", "b"]


def test_a_network_is_changed_and_its_revision_counts_up(net: Net) -> None:
    id = net.make("networks", name="old")["id"]
    changed = net.put("networks", id, name="new", admin_state_up="False")
    assert (changed["name"], changed["admin_state_up"], changed["revision_number"]) == ("new", False, 1)


def test_if_match_lets_only_the_known_revision_be_changed(net: Net) -> None:
    id = net.make("networks", name="old")["id"]
    body = {"network": {"name": "x"}}
    wrong = net.ask("PUT", f"/networks/{id}", body, headers={"If-Match": "revision_number=7"})
    refused(wrong, 412, "RevisionNumberConstraintFailed")
    right = net.ask("PUT", f"/networks/{id}", body, headers={"If-Match": "revision_number=0"})
    assert right.status == 200
    malformed = net.ask("DELETE", f"/networks/{id}", headers={"If-Match": "abc"})
    assert malformed.status == 400


def test_strangers_do_not_see_a_network_and_readers_cannot_change_it(net: Net, stranger: Net) -> None:
    id = net.make("networks", name="mine")["id"]
    refused(stranger.ask("GET", f"/networks/{id}"), 404, "NetworkNotFound")
    refused(stranger.ask("PUT", f"/networks/{id}", {"network": {"name": "x"}}), 404, "NetworkNotFound")
    refused(stranger.ask("DELETE", f"/networks/{id}"), 404, "NetworkNotFound")
    assert stranger.list("networks") == []
    reader = net.as_("reader")
    assert reader.show("networks", id)["id"] == id
    refused(reader.ask("DELETE", f"/networks/{id}"), 403, "PolicyNotAuthorized")


def test_only_an_administrator_shares_with_everybody(net: Net, admin: Net, stranger: Net) -> None:
    id = net.make("networks", name="mine")["id"]
    refused(net.ask("PUT", f"/networks/{id}", {"network": {"shared": True}}), 403, "PolicyNotAuthorized")
    assert admin.put("networks", id, shared=True)["shared"] is True
    assert stranger.show("networks", id)["shared"] is True
    assert [one["id"] for one in stranger.list("networks", "shared=True")] == [id]
    refused(stranger.ask("PUT", f"/networks/{id}", {"network": {"name": "x"}}), 403, "PolicyNotAuthorized")
    assert admin.put("networks", id, shared=False)["shared"] is False
    assert stranger.list("networks") == []


def test_everybody_sees_an_external_network(stranger: Net, public: dict[str, Any]) -> None:
    assert stranger.show("networks", public["id"])["router:external"] is True
    assert [one["id"] for one in stranger.list("networks", "router:external=True")] == [public["id"]]
    assert stranger.list("networks", "router:external=False") == []


def test_an_external_network_in_use_stays_external(net: Net, admin: Net, public: dict[str, Any]) -> None:
    net.make("routers", name="r", external_gateway_info={"network_id": public["id"]})
    reply = admin.ask("PUT", f"/networks/{public['id']}", {"network": {"router:external": False}})
    refused(reply, 409, "ExternalNetworkInUse")


def test_a_network_with_a_users_port_stays(net: Net) -> None:
    network, _ = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"])
    refused(net.ask("DELETE", f"/networks/{network['id']}"), 409, "NetworkInUse")
    net.drop("ports", port["id"])
    net.drop("networks", network["id"])
    assert net.list("subnets") == []


def test_names_look_like_ids_to_nobody(net: Net) -> None:
    net.make("networks", name="blue")
    refused(net.ask("GET", "/networks/blue"), 404, "NetworkNotFound")
    assert [one["name"] for one in net.list("networks", "name=blue")] == ["blue"]


def test_unknown_attributes_are_refused(net: Net) -> None:
    reply = net.ask("POST", "/networks", {"network": {"name": "x", "colour": "blue"}})
    assert reply.status == 400
    assert "colour" in reply.body["NeutronError"]["message"]


def test_the_mtu_has_bounds(net: Net) -> None:
    made = net.make("networks", mtu=1400)
    assert made["mtu"] == 1400
    for automatic in (0, None):
        assert net.make("networks", mtu=automatic)["mtu"] == 1450
        assert net.put("networks", made["id"], mtu=automatic)["mtu"] == 1450
    for mtu in (9000, 20):
        refused(net.ask("POST", "/networks", {"network": {"mtu": mtu}}), 400, "InvalidInput")

"""Who may read and change metadata definitions. Upstream's names; only administrators change them."""

from pilvi.kernel.policy import Rule, admin
from pilvi.kernel.policy_language import said

reader_of_visible = said("role:admin or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))")


def _read(name: str, what: str) -> Rule:
    return Rule(name, reader_of_visible, f"Read {what} of metadata definitions.")


def _change(name: str, what: str) -> Rule:
    return Rule(name, admin, f"Change {what} of metadata definitions.")


GET = _read("get_metadef_namespace", "a namespace")
LIST = _read("get_metadef_namespaces", "namespaces")
ADD = _change("add_metadef_namespace", "namespaces")
MODIFY = _change("modify_metadef_namespace", "namespaces")
DELETE = _change("delete_metadef_namespace", "namespaces")

GET_OBJECT, LIST_OBJECTS = _read("get_metadef_object", "an object"), _read("get_metadef_objects", "objects")
ADD_OBJECT, MODIFY_OBJECT = _change("add_metadef_object", "objects"), _change("modify_metadef_object", "objects")
DELETE_OBJECT = _change("delete_metadef_object", "objects")

GET_PROPERTY = _read("get_metadef_property", "a property")
LIST_PROPERTIES = _read("get_metadef_properties", "properties")
ADD_PROPERTY = _change("add_metadef_property", "properties")
MODIFY_PROPERTY = _change("modify_metadef_property", "properties")
DELETE_PROPERTY = _change("remove_metadef_property", "properties")

GET_TAG, LIST_TAGS = _read("get_metadef_tag", "a tag"), _read("get_metadef_tags", "tags")
ADD_TAG, ADD_TAGS = _change("add_metadef_tag", "tags"), _change("add_metadef_tags", "tags")
MODIFY_TAG = _change("modify_metadef_tag", "tags")
DELETE_TAG, DELETE_TAGS = _change("delete_metadef_tag", "tags"), _change("delete_metadef_tags", "tags")

LIST_TYPES = _read("list_metadef_resource_types", "resource types")
GET_TYPE = _read("get_metadef_resource_type", "a resource type")
ADD_TYPE = _change("add_metadef_resource_type_association", "resource types")
REMOVE_TYPE = _change("remove_metadef_resource_type_association", "resource types")

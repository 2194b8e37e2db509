"""Who may do what with routers."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader

CREATE = Rule("create_router", project_member, "Make a router.")
SHOW = Rule("get_router", project_reader, "Show a router.")
UPDATE = Rule("update_router", project_member, "Change a router.")
DELETE = Rule("delete_router", project_member, "Delete a router.")
ADD_INTERFACE = Rule("add_router_interface", project_member, "Give a router a leg in a subnet.")
REMOVE_INTERFACE = Rule("remove_router_interface", project_member, "Take a router's leg out of a subnet.")
ADD_ROUTES = Rule("add_extraroutes", project_member, "Add routes to a router.")
REMOVE_ROUTES = Rule("remove_extraroutes", project_member, "Take routes from a router.")
SNAT = Rule("update_router:external_gateway_info:enable_snat", admin, "Switch source address translation.")
FIXED_IPS = Rule("update_router:external_gateway_info:external_fixed_ips", admin, "Choose a gateway's addresses.")

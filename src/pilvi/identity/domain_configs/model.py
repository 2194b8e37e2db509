"""The options that a domain may set, with their defaults. Pure."""

from typing import Any

from pilvi.kernel.errors import Forbidden, NotFound

DEFAULTS: dict[str, dict[str, Any]] = {
    "identity": {"driver": "sql", "list_limit": None},
    "ldap": {
        "url": "ldap://localhost", "user": None, "password": None, "suffix": "cn=example,cn=com", "query_scope": "one",
        "page_size": 0, "alias_dereferencing": "default", "debug_level": None, "chase_referrals": None,
        "user_tree_dn": None, "user_filter": None, "user_objectclass": "inetOrgPerson", "user_id_attribute": "cn",
        "user_name_attribute": "sn", "user_mail_attribute": "mail", "user_description_attribute": "description",
        "user_pass_attribute": "userPassword", "user_enabled_attribute": "enabled", "user_enabled_invert": False,
        "user_enabled_mask": 0, "user_enabled_default": "True", "user_attribute_ignore": "default_project_id",
        "user_default_project_id_attribute": None, "user_enabled_emulation": False, "user_enabled_emulation_dn": None,
        "user_enabled_emulation_use_group_config": False, "user_additional_attribute_mapping": "",
        "group_tree_dn": None, "group_filter": None, "group_objectclass": "groupOfNames", "group_id_attribute": "cn",
        "group_name_attribute": "ou", "group_member_attribute": "member", "group_desc_attribute": "description",
        "group_members_are_ids": False, "group_ad_nesting": False, "group_attribute_ignore": "",
        "group_additional_attribute_mapping": "", "tls_cacertfile": None, "tls_cacertdir": None, "use_tls": False,
        "tls_req_cert": "demand", "connection_timeout": -1, "use_pool": True, "pool_size": 10, "pool_retry_max": 3,
        "pool_retry_delay": 0.1, "pool_connection_timeout": -1, "pool_connection_lifetime": 600,
        "use_auth_pool": True, "auth_pool_size": 100, "auth_pool_connection_lifetime": 60, "randomize_urls": False,
    },
}  # fmt: skip
SENSITIVE = frozenset({("ldap", "password")})
"""Kept, but never shown."""

Config = dict[str, dict[str, Any]]


def check(config: Config) -> None:
    """Only known groups and options; refused like everything that a domain may not do."""
    if not config:
        raise Forbidden("Invalid domain specific configuration: no options specified.")
    for group, options in config.items():
        if group not in DEFAULTS:
            raise Forbidden(f"Invalid domain specific configuration: Group {group} is not supported.")
        if not isinstance(options, dict) or not options:
            raise Forbidden(f"Invalid domain specific configuration: no options specified in group {group}.")
        unknown = sorted(set(options) - set(DEFAULTS[group]))
        if unknown:
            raise Forbidden(
                f"Invalid domain specific configuration: Option {unknown[0]} in group {group} is not supported."
            )


def is_directory(config: Config) -> bool:
    """Whether users and groups of the domain are in an LDAP directory."""
    return config.get("identity", {}).get("driver") == "ldap"


def shown(config: Config) -> Config:
    """Without secrets."""
    return {g: {n: v for n, v in options.items() if (g, n) not in SENSITIVE} for g, options in config.items()}


def part(config: Config, group: str | None, option: str | None, domain_id: str) -> dict[str, Any]:
    """All of it, one group, or one option of it; raises NotFound."""
    where = f"group {group}" if option is None else f"option {option} in group {group}"
    if not config or (group is not None and group not in config):
        missing = f" {where}" if group is not None else ""
        raise NotFound(f"Could not find{missing} domain configuration for domain {domain_id}.")
    if group is None:
        return config
    if option is None:
        return {group: config[group]}
    if option not in config[group]:
        raise NotFound(f"Could not find {where} in domain configuration for domain {domain_id}.")
    return {option: config[group][option]}

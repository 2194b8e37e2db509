"""The table of contents of identity: every route, and how the service looks to the edge."""

from dataclasses import replace

from pilvi.identity import settings
from pilvi.identity.application_credentials import api as application_credentials
from pilvi.identity.credentials import api as credentials
from pilvi.identity.directories import reconcile as directories
from pilvi.identity.domain_configs import api as domain_configs
from pilvi.identity.domains import api as domains
from pilvi.identity.ec2_tokens import api as ec2_tokens
from pilvi.identity.endpoint_groups import api as endpoint_groups
from pilvi.identity.endpoint_policies import api as endpoint_policies
from pilvi.identity.endpoints import api as endpoints
from pilvi.identity.faults import dress
from pilvi.identity.federated_logins import api as federated_logins
from pilvi.identity.groups import api as groups
from pilvi.identity.identity_providers import api as identity_providers
from pilvi.identity.limits import api as limits
from pilvi.identity.logins import api as logins
from pilvi.identity.mappings import api as mappings
from pilvi.identity.oauth2_tokens import api as oauth2_tokens
from pilvi.identity.oauth_consumers import api as oauth_consumers
from pilvi.identity.oauth_tokens import api as oauth_tokens
from pilvi.identity.policies import api as policies
from pilvi.identity.projects import api as projects
from pilvi.identity.regions import api as regions
from pilvi.identity.registered_limits import api as registered_limits
from pilvi.identity.role_assignments import api as role_assignments
from pilvi.identity.roles import api as roles
from pilvi.identity.saml_assertions import api as saml_assertions
from pilvi.identity.service_providers import api as service_providers
from pilvi.identity.services import api as services
from pilvi.identity.tokens import api as tokens
from pilvi.identity.trusts import api as trusts
from pilvi.identity.users import api as users
from pilvi.identity.versions import api as versions
from pilvi.identity.wire import page_links
from pilvi.kernel.config import Config
from pilvi.kernel.http import Service
from pilvi.kernel.loop import Loop
from pilvi.kernel.routing import Route

RESOURCES = (
    versions, logins, tokens, projects, domains, users, groups, roles, role_assignments, application_credentials,
    services, endpoints, regions, trusts, credentials, policies, endpoint_groups, domain_configs, oauth_consumers,
    identity_providers, mappings, service_providers, ec2_tokens,
    registered_limits, limits, federated_logins, oauth_tokens, oauth2_tokens, endpoint_policies,
    saml_assertions,
)  # fmt: skip


def all_routes() -> list[Route]:
    """Every route; what can be read with GET can be asked for with HEAD, too, as in every version of this API."""
    found = [route for resource in RESOURCES for route in resource.routes.routes]
    heads = {route.path for route in found if route.method == "HEAD"}
    found += [replace(r, method="HEAD") for r in found if r.method == "GET" and r.path not in heads]
    return found


def loops(config: Config) -> list[Loop]:
    settings.read(config)
    return [directories.loop()]


def service(config: Config) -> Service:
    settings.read(config)
    routes = all_routes()
    versions.home[:] = routes
    return Service(name="identity", prefix="/identity", dress=dress, routes=routes, page_links=page_links)

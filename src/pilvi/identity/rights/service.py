"""Works rights out. Every check that can take rights away is here and runs afresh in each epoch."""

from math import inf

from pilvi.identity import settings
from pilvi.identity.application_credentials import service as application_credentials
from pilvi.identity.application_credentials.model import ApplicationCredential
from pilvi.identity.epochs import service as epochs
from pilvi.identity.groups import service as groups
from pilvi.identity.identity_providers import service as identity_providers
from pilvi.identity.oauth_tokens import service as oauth_tokens
from pilvi.identity.oauth_tokens.model import OAuthToken
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.rights.model import Rights
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.roles import service as roles
from pilvi.identity.roles.model import Role
from pilvi.identity.tokens.model import Token
from pilvi.identity.trusts import service as trusts
from pilvi.identity.trusts.model import Trust
from pilvi.identity.users import service as users
from pilvi.identity.users.model import User, federated_names, is_enabled
from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Unauthorized

MESSAGE = "The request you have made requires authentication."
"""One message for all reasons: who fails learns nothing."""


def refused() -> Unauthorized:
    return Unauthorized(MESSAGE)


def of(tx: Tx, token: Token) -> Rights:
    """The rights of a token, or Unauthorized."""
    key = (
        "rights", token.user_id, token.scope, token.scope_id, token.application_credential_id, token.trust_id,
        token.idp_id, token.protocol_id, token.access_token_id,
    )  # fmt: skip
    rights = epochs.cached(tx, key, lambda: _work_out(tx, token))
    if rights.until <= clock.now():
        rights = _work_out(tx, token)
    credential, trust = rights.application_credential, rights.trust
    if credential is not None and credential.is_expired():
        raise refused()
    if trust is not None and trusts.has_expired(trust):
        raise refused()
    return rights


def _work_out(tx: Tx, token: Token) -> Rights:
    user, user_domain = enabled_user(tx, token.user_id)
    if token.idp_id:
        _check_origin(tx, token)
    after = max(user.tokens_after, user_domain.tokens_after)
    project, domain = _scope(tx, token)
    for place in (project, domain):
        if place is not None:
            after = max(after, place.tokens_after)
    trust = _trust(tx, token)
    credential = _credential(tx, token)
    rights = Rights(user, user_domain, project, domain, token.scope == "system", (), after)
    actor_id = trust.trustor_user_id if trust is not None else user.id
    in_force = _roles(tx, actor_id, token, project)
    lasting = groups.lasting(tx, actor_id)
    rights.lasting_group_ids = tuple(id for id, _ in lasting)
    rights.until = min((ends_at for _, ends_at in lasting), default=inf)
    if credential is not None:
        rights.application_credential = credential
        rights.access_rules = application_credentials.rules_of(tx, credential)
        in_force = _only(tx, in_force, credential.role_ids)
    if trust is not None:
        rights.trust = trust
        in_force = _only(tx, in_force, trust.role_ids)
    if token.access_token_id:
        rights.access = _access(tx, token)
        rights.until = min(rights.until, rights.access.expires_at)
        in_force = _only(tx, in_force, rights.access.role_ids)
    if token.scope != "unscoped" and not in_force:
        raise refused()
    rights.roles = tuple(in_force)
    return rights


def _check_origin(tx: Tx, token: Token) -> None:
    """Whoever came in through a provider stays in as long as that door is open."""
    if not identity_providers.is_open(tx, token.idp_id, token.protocol_id):
        raise refused()


def enabled_user(tx: Tx, id: str) -> tuple[User, Project]:
    """The user and their domain, both enabled."""
    user = users.find(tx, id)
    if user is None or not is_enabled(user, settings.current.passwords, clock.now()):
        raise refused()
    domain = projects.find(tx, user.domain_id)
    if domain is None or not domain.enabled or not _is_vouched_for(tx, user):
        raise refused()
    return user, domain


def _is_vouched_for(tx: Tx, user: User) -> bool:
    """Whoever exists by a provider's word only is somebody as long as one such provider is enabled."""
    if user.origin != user.id or not user.federated:
        return True
    doors = federated_names(user.federated)
    return any(identity_providers.is_open(tx, idp_id, protocol_id) for idp_id, protocol_id, _ in doors)


def _scope(tx: Tx, token: Token) -> tuple[Project | None, Project | None]:
    if token.scope == "project":
        project = projects.find(tx, token.scope_id)
        domain = projects.find(tx, project.home_domain_id) if project is not None else None
        if project is None or domain is None or not project.enabled or not domain.enabled:
            raise refused()
        return project, domain
    if token.scope == "domain":
        domain = projects.find(tx, token.scope_id)
        if domain is None or not domain.is_domain or not domain.enabled:
            raise refused()
        return None, domain
    return None, None


def _roles(tx: Tx, user_id: str, token: Token, project: Project | None) -> list[Role]:
    if project is not None:
        return role_assignments.roles_on_project(tx, user_id, project)
    if token.scope == "domain":
        return role_assignments.roles_on_domain(tx, user_id, token.scope_id)
    if token.scope == "system":
        return role_assignments.roles_on_system(tx, user_id)
    return []


def _only(tx: Tx, in_force: list[Role], role_ids: list[str]) -> list[Role]:
    """Delegated roles count as far as whoever delegated them still has them."""
    delegated = roles.graph(tx).closure(role_ids)
    return [role for role in in_force if role.id in delegated]


def _credential(tx: Tx, token: Token) -> ApplicationCredential | None:
    if not token.application_credential_id:
        return None
    credential = application_credentials.find(tx, token.application_credential_id)
    right = credential is not None and (credential.user_id, credential.project_id) == (token.user_id, token.scope_id)
    if not right or credential is None or credential.is_expired():
        raise refused()
    return credential


def _access(tx: Tx, token: Token) -> OAuthToken:
    """What the user gave to a consumer, if it counts still."""
    access = oauth_tokens.find_access(tx, token.access_token_id)
    if access is None or (access.user_id, access.project_id) != (token.user_id, token.scope_id):
        raise refused()
    return access


def _trust(tx: Tx, token: Token) -> Trust | None:
    """The trust behind a token, with everyone whose word it rests on still enabled."""
    if not token.trust_id:
        return None
    trust = trusts.find(tx, token.trust_id)
    if trust is None or trusts.has_expired(trust) or trust.project_id != (token.scope_id or None):
        raise refused()
    user_id = trust.trustor_user_id if trust.impersonation else trust.trustee_user_id
    if token.user_id != user_id:
        raise refused()
    enabled_user(tx, trust.trustor_user_id)
    enabled_user(tx, trust.trustee_user_id)
    return trust

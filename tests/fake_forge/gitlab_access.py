"""Who asks, what that one may do, and how often: personal and project access tokens, scopes, the limit by minute."""

import git_http
from clock import http_date
from gitlab_state import DEVELOPER, Refused, level_of, sees, unauthorized

# Requests a minute; what gitlab.com gives a token, and an address without one.
LIMIT, LIMIT_ANONYMOUS, MINUTE_S = 2000, 500, 60
READ, WRITE = ("api", "read_api"), ("api",)
SCOPES = ("api", "read_api", "read_user", "read_repository", "write_repository", "read_registry", "write_registry",
          "create_runner", "manage_runner", "ai_features", "k8s_proxy", "self_rotate", "sudo", "admin_mode")


class Viewer:
    """The one that a request comes from. Without a token: nobody, who sees what is public."""

    def __init__(self, token=None):
        self.token, self.user = token, token.user if token else None

    def sees(self, project):
        if self.token and self.token.project not in (None, project):
            return project.visibility == "public"
        return sees(self.user, project)

    def level(self, project):
        if self.token and self.token.project not in (None, project):
            return 0
        return level_of(self.user, project)

    def allowed(self, *scopes):
        return not self.token or bool(set(scopes) & set(self.token.scopes))


class Limits:
    """One count for each token (or address)."""

    def __init__(self, clock):
        self.clock, self.counts = clock, {}

    def of(self, key):
        now = self.clock.now()
        found = self.counts.get(key)
        if not found or found["reset"] <= now:
            limit = found["limit"] if found else LIMIT_ANONYMOUS if key is None else LIMIT
            found = self.counts[key] = {"limit": limit, "remaining": limit, "reset": now + MINUTE_S}
        return found

    def set(self, key, **numbers):
        self.of(key).update(numbers)

    def spend(self, key):
        """False when nothing is left."""
        found = self.of(key)
        if found["remaining"] < 1:
            return False
        found["remaining"] -= 1
        return True

    def headers(self, key):
        found = self.of(key)
        name = "throttle_unauthenticated_api" if key is None else "throttle_authenticated_api"
        return [("RateLimit-Limit", str(found["limit"])), ("RateLimit-Name", name),
                ("RateLimit-Observed", str(found["limit"] - found["remaining"])),
                ("RateLimit-Remaining", str(found["remaining"])), ("RateLimit-Reset", str(found["reset"])),
                ("RateLimit-ResetTime", http_date(found["reset"]))]

    def retry_after(self, key):
        return max(1, self.of(key)["reset"] - self.clock.now())


def invalid_token(description):
    header = [("WWW-Authenticate", f'Bearer realm="The API", error="invalid_token", error_description="{description}"')]
    return Refused(401, {"error": "invalid_token", "error_description": description}, None, header)


def insufficient_scope(scopes):
    return Refused(403, {"error": "insufficient_scope", "error_description":
                         "The request requires higher privileges than provided by the access token.",
                         "scope": " ".join(scopes)}, None)


def checked(state, text):
    """The token of a text, alive."""
    token = state.tokens.get(text)
    if token is None:
        raise unauthorized()
    if token.revoked:
        raise invalid_token("Token was revoked. You have to re-authorize from the user.")
    if token.expires_at is not None and token.expires_at <= state.clock.now():
        raise invalid_token("Token is expired. You can either do re-authorization or token refresh.")
    token.last_used_at = state.clock.now()
    return token


def viewer_of(state, headers):
    """PRIVATE-TOKEN goes before `Authorization: Bearer`; another kind of Authorization is nobody's, as at GitLab."""
    text = headers.get("PRIVATE-TOKEN")
    if text is None:
        kind, _, rest = headers.get("Authorization", "").partition(" ")
        text = rest.strip() if kind.lower() == "bearer" else None
    return Viewer(checked(state, text)) if text is not None else Viewer()


def git_viewer(state, headers):
    """Over git a token is the password of any user name; None when it is no good or of no use for git."""
    basic = git_http.basic_auth(headers)
    if not basic:
        return None
    try:
        viewer = Viewer(checked(state, basic[1]))
    except Refused:
        return None
    return viewer if viewer.allowed("api", "read_repository", "write_repository") else None


def need(viewer, project, level=DEVELOPER):
    if viewer.level(project) < level:
        raise Refused(403, "403 Forbidden")

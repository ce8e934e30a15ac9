"""Who asks, what that one may do, and how often: tokens, scopes, the JWT of apps, and the primary rate limit."""

import base64
import binascii
import json
import subprocess
import tempfile

import git_http
from github_state import Refused, at_least, level_of

# Requests an hour; what api.github.com gives a token, and an address without one.
LIMIT, LIMIT_GRAPHQL, LIMIT_ANONYMOUS = 5000, 5000, 60
HOUR_S = 3600
# An app's JWT may not live longer.
MOST_JWT_S = 600
INSTALLATION_TOKEN_S = 3600


class Viewer:
    """The one that a request comes from. Without a token: nobody, who sees what is public."""

    def __init__(self, token=None):
        self.token, self.user = token, token.user if token else None

    def level(self, repository):
        """What the person may do, cut down to what the token may."""
        if not self.token:
            return level_of(None, repository)
        token = self.token
        if token.repositories is not None and repository.full_name.lower() not in token.repositories:
            return "none" if repository.private else "read"
        if token.kind == "installation":
            return "write" if "write" in token.permissions.values() else "read"
        level = level_of(self.user, repository)
        if token.kind == "classic" and "repo" not in token.scopes:
            if repository.private:
                return "none"
            return level if "public_repo" in token.scopes else "read"
        return level

    def permitted(self, area, how):
        """Fine-grained tokens and apps have permissions by area; a classic one has scopes."""
        if not self.token or self.token.kind == "classic":
            return True
        given = self.token.permissions.get(area)
        return given == "write" or given == "admin" or given == how


class Limits:
    """The primary limit: one count for each token (or address) and resource."""

    def __init__(self, clock):
        self.clock = clock
        self.counts = {}

    def of(self, key, resource):
        now = self.clock.now()
        found = self.counts.get((key, resource))
        if not found or found["reset"] <= now:
            limit = found["limit"] if found else (
                LIMIT_ANONYMOUS if key is None and resource == "core" else 0 if key is None else
                LIMIT_GRAPHQL if resource == "graphql" else LIMIT)
            found = self.counts[(key, resource)] = {"limit": limit, "remaining": limit, "reset": now + HOUR_S}
        return found

    def set(self, key, resource, **numbers):
        self.of(key, resource).update(numbers)

    def shown(self, key, resource):
        found = self.of(key, resource)
        return {"limit": found["limit"], "remaining": found["remaining"], "reset": found["reset"],
                "used": found["limit"] - found["remaining"], "resource": resource}

    def spend(self, key, resource, cost=1):
        """False when nothing is left."""
        found = self.of(key, resource)
        if found["remaining"] < cost:
            return False
        found["remaining"] -= cost
        return True

    def headers(self, key, resource):
        shown = self.shown(key, resource)
        return [(f"X-RateLimit-{name.capitalize()}", str(shown[name]))
                for name in ("limit", "remaining", "reset", "used", "resource")]


def bad_credentials():
    return Refused(401, "Bad credentials", kind="FORBIDDEN")


def credential(headers):
    """The token of an Authorization header, as GitHub takes it: `Bearer`, `token`, or as the password of Basic."""
    value = headers.get("Authorization")
    if value is None:
        return None
    kind, _, rest = value.partition(" ")
    if kind.lower() in ("bearer", "token") and rest.strip():
        return rest.strip()
    basic = git_http.basic_auth(headers)
    if basic:
        return basic[0] if basic[1] in ("", "x-oauth-basic") else basic[1]
    raise bad_credentials()


def viewer_of(state, headers):
    text = credential(headers)
    if text is None:
        return Viewer()
    token = state.tokens.get(text)
    if token is None or (token.expires_at is not None and token.expires_at <= state.clock.now()):
        raise bad_credentials()
    return Viewer(token)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def app_of(state, headers):
    """The app that signed the request's JWT with its private key."""
    kind, _, text = headers.get("Authorization", "").partition(" ")
    parts = text.strip().split(".")
    wrong = Refused(401, "A JSON web token could not be decoded")
    if kind.lower() != "bearer" or len(parts) != 3:
        raise wrong
    try:
        header, claims = json.loads(decoded(parts[0])), json.loads(decoded(parts[1]))
        signature = decoded(parts[2])
    except (ValueError, binascii.Error):
        raise wrong from None
    if header.get("alg") != "RS256" or not isinstance(claims, dict):
        raise wrong
    now, expires, issued = state.clock.now(), claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int) or expires <= now:
        raise Refused(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
                           "which the assertion expires")
    if expires > now + MOST_JWT_S + 60:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, int) or issued > now + 60:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was "
                           "issued")
    if expires - issued > MOST_JWT_S + 60:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    app = state.apps.get(str(claims.get("iss")))
    if app is None:
        raise Refused(404, "Integration not found")
    if not signed_by(app.public_key, f"{parts[0]}.{parts[1]}".encode(), signature):
        raise wrong
    return app


def signed_by(public_key, message, signature):
    with tempfile.NamedTemporaryFile() as key, tempfile.NamedTemporaryFile() as seal:
        key.write(public_key.encode())
        seal.write(signature)
        key.flush()
        seal.flush()
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", key.name, "-signature", seal.name],
                              input=message, capture_output=True).returncode == 0


def seen(viewer, repository):
    """Refuses with 404 what the viewer may not even know of."""
    if repository is None or not at_least(viewer.level(repository), "read"):
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    return repository


def need(viewer, repository, area, how):
    """Refuses what the token's permissions do not cover."""
    if not viewer.permitted(area, how):
        by = "integration" if viewer.token.kind == "installation" else "personal access token"
        raise Refused(403, f"Resource not accessible by {by}", kind="FORBIDDEN")

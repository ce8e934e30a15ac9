"""Who asks, and what the token is for: access tokens and their scopes."""

import git_http
from gitea_state import Refused, level_of

CATEGORIES = ("activitypub", "admin", "misc", "notification", "organization", "package", "issue", "repository", "user")
SCOPES = ("all", "public-only", *(f"{how}:{one}" for one in CATEGORIES for how in ("read", "write")))


class Viewer:
    """The one that a request comes from. Without a token: nobody, who sees what is public."""

    def __init__(self, token=None):
        self.token, self.user = token, token.user if token else None

    def level(self, repository):
        if self.token and "public-only" in self.token.scopes and repository.private:
            return "none"
        return level_of(self.user, repository)

    def scoped(self, how, category):
        """Whether the token is for this; writing is for reading too."""
        if not self.token:
            return True
        fine = {"all", f"write:{category}"} | ({f"read:{category}"} if how == "read" else set())
        return bool(fine & set(self.token.scopes))


def unknown_token(state, text):
    """A Forgejo repeats the token."""
    if state.version.forgejo:
        return Refused(401, f"access token does not exist [sha: {text}]")
    return Refused(401, "user does not exist [uid: 0, name: ]")


def token_of(headers):
    """`token T` and `Bearer T` are the same; basic authentication takes a token as password."""
    kind, _, rest = headers.get("Authorization", "").partition(" ")
    if kind.lower() in ("token", "bearer"):
        return rest.strip()
    basic = git_http.basic_auth(headers)
    return basic[1] if basic else None


def viewer_of(state, headers):
    text = token_of(headers)
    if text is None:
        return Viewer()
    if text not in state.tokens:
        raise unknown_token(state, text)
    return Viewer(state.tokens[text])


def need_scope(state, viewer, how, category):
    if viewer.scoped(how, category):
        return
    wanted = f"[{how}:{category}]"
    if state.version.gitea(1, 24):
        wanted = f", required={wanted}, token scope={','.join(viewer.token.scopes)}"
    else:
        wanted = f": {wanted}"
    raise Refused(403, f"token does not have at least one of required scope(s){wanted}")


def git_viewer(state, headers):
    """Over git a token is the password of any user name; None when it is no good."""
    basic = git_http.basic_auth(headers)
    token = state.tokens.get(basic[1]) if basic else None
    return Viewer(token) if token else None

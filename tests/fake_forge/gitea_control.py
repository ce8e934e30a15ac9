"""The control port's commands that know Gitea: setting the scene. What people do there is in gitea_act."""

import secrets

import gitea_statuses
from bare import HEADS
from control import Bad
from driving import QUIRKS, Driving, change, known
from gitea_access import SCOPES
from gitea_act import GiteaActs
from gitea_events import ALL
from gitea_merge import STYLES
from gitea_state import LEVELS, Hook, Protection, Refused, Repository, Token, Version

SETTINGS = {"private": bool, "description": str, "archived": bool, "has_pull_requests": bool,
            "allow_merge_commits": bool, "allow_rebase": bool, "allow_rebase_explicit": bool,
            "allow_squash_merge": bool, "allow_fast_forward_only_merge": bool, "default_merge_style": tuple(STYLES),
            "default_delete_branch_after_merge": bool, "autodetect_manual_merge": bool, "checking_reads": int}
RULES = {"enable_push": bool, "push_whitelist_usernames": list, "enable_force_push": bool,
         "merge_whitelist_usernames": list, "approvals_whitelist_username": list, "required_approvals": int,
         "enable_status_check": bool, "status_check_contexts": list, "block_on_rejected_reviews": bool,
         "block_on_outdated_branch": bool, "dismiss_stale_approvals": bool, "ignore_stale_approvals": bool,
         "block_admin_merge_override": bool}
DEFAULT_SCOPES = ["write:repository", "write:issue", "read:user"]


class GiteaControl(Driving):
    refused = Refused

    def __init__(self, forge):
        super().__init__(forge)
        self.acts = GiteaActs(forge, self.place)

    def named(self):
        return {**super().named(), "/server": self.server}

    def server(self, body):
        """version: 1.26.1, or a Forgejo's, 15.0.3+gitea-1.22.0."""
        known(body, "version")
        if "version" in body:
            self.state.version = Version(body["version"])
        return {"version": self.state.version.text}

    def users(self, body):
        """login, name, kind (User, Organization), admin, members (owners of an organization)."""
        known(body, "login", "name", "kind", "admin", "members")
        made = self.state.add_user(body["login"], body.get("name"), body.get("kind", "User"), body.get("admin", False))
        for login in body.get("members", ()):
            made.members.add(self.state.user(login).login.lower())
        return {"id": made.id, "login": made.login}

    def tokens(self, body):
        """login, scopes, token; or `revoke`: a token."""
        known(body, "login", "scopes", "token", "revoke")
        if "revoke" in body:
            del self.state.tokens[body["revoke"]]
            return None
        scopes = body.get("scopes", DEFAULT_SCOPES)
        strange = set(scopes) - set(SCOPES)
        if strange:
            raise Bad(f"no scopes: {', '.join(sorted(strange))}; there are {', '.join(SCOPES)}")
        text = body.get("token") or secrets.token_hex(20)
        self.state.tokens[text] = Token(text, self.state.user(body["login"]), list(scopes))
        return {"token": text}

    def repositories(self, body):
        """owner, name; path (a bare repository served where it is) or copy_of; default_branch; settings; permissions
        {login: level}; protection {branch: rules}. For one that exists, its settings and permissions are changed."""
        known(body, "owner", "name", "path", "copy_of", "default_branch", "permissions", "protection", *SETTINGS)
        found, _ = self.state.find(body["owner"], body["name"])
        if not found:
            owner, now = self.state.add_user(body["owner"]), self.state.clock.now()
            made, branch = self.bare(body, owner.login)
            found = Repository(self.state.ids.next(), owner, body["name"], made, now, branch, now)
            found.known = made.refs(HEADS)
            self.state.add_place(found)
        change(found, body, SETTINGS)
        for login, level in body.get("permissions", {}).items():
            if level not in LEVELS[:-1]:
                raise Bad(f"a permission is one of {', '.join(LEVELS[:-1])}")
            found.permissions[self.state.user(login).login.lower()] = level
        for branch, rule in body.get("protection", {}).items():
            self.protection({"repository": found.full_name, "branch": branch, **rule})
        return {"id": found.id, "full_name": found.full_name, "path": found.bare.path,
                "clone_url": f"{self.forge.origin}/{found.full_name}.git"}

    def protection(self, body):
        """repository, branch, and the rules; `off` takes them away."""
        self.rules(body, self.place(body["repository"]).protections, Protection, RULES)

    def checks(self, body):
        """A status of a commit: context, state, description, target_url, login."""
        known(body, "repository", "branch", "sha", "context", "state", "description", "target_url", "login")
        found = self.place(body["repository"])
        with found.lock:
            if body["state"] not in gitea_statuses.STATES:
                raise Bad(f"a state is one of {', '.join(gitea_statuses.STATES)}")
            actor = self.state.user(body["login"]) if "login" in body else found.owner
            made = gitea_statuses.set_status(
                self.state, found, actor, body.get("sha") or found.bare.branches()[body["branch"]], body["state"],
                body.get("context"), body.get("description"), body.get("target_url"))
            return {"id": made.id}

    def webhooks(self, body):
        """repository, url, secret, events; or `id` of one with `twice`, `bad_signature` (counts), `delay_ms`."""
        known(body, "repository", "url", "secret", "insecure_ssl", "id", *QUIRKS)
        strange = set(body.get("events", ())) - set(ALL)
        if strange:
            raise Bad(f"no events: {', '.join(sorted(strange))}; there are {', '.join(ALL)}")

        def create():
            found = self.place(body["repository"])
            hook = Hook(self.state.ids.next(), found, body["url"], body.get("secret"), list(ALL),
                        insecure_ssl=body.get("insecure_ssl", False))
            found.hooks.append(hook)
            return hook
        return self.hook(body, create)

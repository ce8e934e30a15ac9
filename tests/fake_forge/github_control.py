"""The control port's commands that know GitHub: setting the scene. What people do there is in github_act."""

import secrets

import github_checks
import github_pushes
from control import Bad
from driving import QUIRKS, Driving, change, known
from github_act import GitHubActs
from github_state import App, Hook, LEVELS, Protection, Refused, Repository, Token, node_id

SETTINGS = {"private": bool, "description": str, "allow_merge_commit": bool, "allow_squash_merge": bool,
            "allow_rebase_merge": bool, "delete_branch_on_merge": bool, "archived": bool, "pre_receive_hooks": bool,
            "unknown_reads": int, "refuse_unknown": bool}
RULES = {"required_reviews": int, "pull_request_required": bool, "dismiss_stale": bool, "required_checks": list,
         "strict": bool, "enforce_admins": bool, "allow_force_pushes": bool, "allow_deletions": bool,
         "conversation_resolution": bool}


class GitHubControl(Driving):
    refused = Refused

    def __init__(self, forge):
        super().__init__(forge)
        self.acts = GitHubActs(forge, self.place)

    def named(self):
        return {**super().named(), "/apps": self.apps, "/limits": self.limits}

    def users(self, body):
        """login, kind (User, Organization, Bot), name, site_admin, members (of an organization)."""
        known(body, "login", "kind", "name", "site_admin", "members")
        made = self.state.add_user(body["login"], body.get("kind", "User"), body.get("name"),
                                   body.get("site_admin", False))
        for login in body.get("members", ()):
            made.members.add(self.state.user(login).login.lower())
        return {"id": made.number, "login": made.login, "node_id": node_id(made)}

    def apps(self, body):
        """slug, owner, public_key (PEM), permissions, events, install_on (an account's login)."""
        known(body, "slug", "owner", "public_key", "permissions", "events", "install_on")
        owner = self.state.user(body["owner"])
        bot = self.state.add_user(body["slug"], "Bot")
        app = App(self.state.ids.next(), body["slug"], owner, body["public_key"], body.get("permissions", {}),
                  body.get("events", []), bot, self.state.clock.now())
        self.state.apps[str(app.number)] = self.state.keep(app)
        installation = self.state.ids.next()
        app.installations[installation] = body.get("install_on", owner.login)
        return {"app_id": app.number, "installation_id": installation, "login": bot.rest_login}

    def tokens(self, body):
        """login, kind (classic, fine_grained), scopes, permissions, repositories, token, expires_at; or `revoke`."""
        known(body, "login", "kind", "scopes", "permissions", "repositories", "token", "expires_at", "revoke")
        if "revoke" in body:
            del self.state.tokens[body["revoke"]]
            return None
        kind = body.get("kind", "classic")
        if kind not in ("classic", "fine_grained"):
            raise Bad("a token is classic or fine_grained; an app asks for its own at /app/installations")
        prefix = "ghp_" if kind == "classic" else "github_pat_"
        text = body.get("token") or prefix + secrets.token_hex(18)
        chosen = body.get("repositories")
        self.state.tokens[text] = Token(
            text, kind, self.state.user(body["login"]), body.get("scopes", ["repo"] if kind == "classic" else []),
            {"metadata": "read", **body.get("permissions", {})},
            [name.lower() for name in chosen] if chosen is not None else None, None, body.get("expires_at"))
        return {"token": text}

    def repositories(self, body):
        """owner, name; path (a bare repository served where it is) or copy_of; default_branch; settings; permissions.
        For one that exists, its settings and permissions are changed."""
        known(body, "owner", "name", "path", "copy_of", "default_branch", "permissions", "protection", *SETTINGS)
        owner = self.state.users.get(body["owner"].lower()) or self.state.add_user(body["owner"])
        found, _ = self.state.find(body["owner"], body["name"])
        if not found:
            found = self.create(owner, body)
        change(found, body, SETTINGS)
        for login, level in body.get("permissions", {}).items():
            if level not in LEVELS:
                raise Bad(f"a permission is one of {', '.join(LEVELS)}")
            found.permissions[self.state.user(login).rest_login.lower()] = level
        for branch, rule in body.get("protection", {}).items():
            self.protection({"repository": found.full_name, "branch": branch, **rule})
        return {"id": found.id, "node_id": node_id(found), "full_name": found.full_name, "path": found.bare.path,
                "clone_url": f"{self.forge.origin}/{found.full_name}.git"}

    def create(self, owner, body):
        made, branch = self.bare(body, owner.login)
        now = self.state.clock.now()
        found = Repository(self.state.ids.next(), owner, body["name"], made, now, branch, pushed_at=now,
                           updated_at=now)
        found.known = made.refs(github_pushes.HEADS)
        return self.state.add_place(self.state.keep(found))

    def protection(self, body):
        """repository, branch, and the rules; `off` takes them away."""
        self.rules(body, self.place(body["repository"]).protections, Protection, RULES)

    def checks(self, body):
        """A check run of an app (`app`: its slug, made when missing), or a commit status (`context`, `login`)."""
        known(body, "repository", "branch", "sha", "app", "name", "status", "conclusion", "details_url", "context",
              "state", "description", "target_url", "login", "output")
        found = self.place(body["repository"])
        with found.lock:
            sha = body.get("sha") or found.bare.branches()[body["branch"]]
            if "context" in body:
                actor = self.state.user(body["login"]) if "login" in body else found.owner
                made = github_checks.set_status(self.state, found, actor, sha, body["state"], body["context"],
                                                body.get("description"), body.get("target_url"))
                return {"id": made.number}
            app = self.checking_app(found, body.get("app", "github-actions"))
            fields = {name: body[name] for name in ("status", "conclusion", "details_url", "output") if name in body}
            run = next((run for run in github_checks.runs_of(found, sha)
                        if run.app is app and run.name == body["name"]), None)
            if run and run.status != "completed":
                github_checks.update_run(self.state, run, **fields)
            else:
                run = github_checks.create_run(self.state, found, app, body["name"], sha, **fields)
            return {"id": run.number}

    def checking_app(self, repository, slug):
        app = next((app for app in self.state.apps.values() if app.slug == slug), None)
        if not app:
            app = App(self.state.ids.next(), slug, repository.owner, "", {"checks": "write"}, [],
                      self.state.add_user(slug, "Bot"), self.state.clock.now())
            self.state.apps[str(app.number)] = self.state.keep(app)
        return app

    def limits(self, body):
        """token (or null for who has none), resource (core, graphql), limit, remaining, reset."""
        known(body, "token", "resource", "limit", "remaining", "reset")
        key, resource = body.get("token"), body.get("resource", "core")
        self.forge.limits.set(key, resource, **{name: body[name] for name in ("limit", "remaining", "reset")
                                                if name in body})
        return self.forge.limits.shown(key, resource)

    def webhooks(self, body):
        """repository, url, secret, events; or `id` of one with `twice`, `bad_signature` (counts), `delay_ms`."""
        known(body, "repository", "url", "secret", "insecure_ssl", "content_type", "id", *QUIRKS)

        def create():
            found = self.place(body["repository"])
            hook = Hook(self.state.ids.next(), found, body["url"], body.get("secret"), body.get("events", ["*"]),
                        self.state.clock.now(), body.get("content_type", "json"),
                        insecure_ssl=body.get("insecure_ssl", False))
            self.forge.events.add_hook(hook, found.owner)
            return hook
        return self.hook(body, create)

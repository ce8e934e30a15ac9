"""The control port's commands that know GitLab: setting the scene. What people do there is in gitlab_act."""

import secrets
import uuid

import gitlab_ci
import gitlab_pushes
from control import Bad
from driving import QUIRKS, Driving, change, known
from gitlab_access import SCOPES
from gitlab_act import GitLabActs
from gitlab_events import ALL
from gitlab_state import LEVELS, Hook, Project, Protection, Refused, Token

SETTINGS = {"visibility": ("private", "internal", "public"), "description": str,
            "merge_method": ("merge", "rebase_merge", "ff"),
            "squash_option": ("never", "always", "default_on", "default_off"),
            "only_allow_merge_if_pipeline_succeeds": bool, "allow_merge_on_skipped_pipeline": bool,
            "only_allow_merge_if_all_discussions_are_resolved": bool, "remove_source_branch_after_merge": bool,
            "approvals_required": int, "reset_approvals_on_push": bool, "merge_requests_author_approval": bool,
            "archived": bool, "checking_reads": int}
RULES = {"push_access_level": (0, 30, 40), "merge_access_level": (0, 30, 40), "allow_force_push": (True, False)}


class GitLabControl(Driving):
    refused = Refused

    def __init__(self, forge):
        super().__init__(forge)
        self.acts = GitLabActs(forge, self.place)

    def named(self):
        return {**super().named(), "/limits": self.limits}

    def users(self, body):
        """login, name, bot, admin."""
        known(body, "login", "name", "bot", "admin")
        made = self.state.add_user(body["login"], body.get("name"), body.get("bot", False), body.get("admin", False))
        return {"id": made.id, "login": made.username}

    def tokens(self, body):
        """login, scopes, name, project (a project access token), token, expires_at; or `revoke`: a token."""
        known(body, "login", "scopes", "name", "project", "token", "expires_at", "revoke")
        if "revoke" in body:
            self.state.tokens[body["revoke"]].revoked = True
            return None
        scopes = body.get("scopes", ["api"])
        strange = set(scopes) - set(SCOPES)
        if strange:
            raise Bad(f"no scopes: {', '.join(sorted(strange))}; there are {', '.join(SCOPES)}")
        text = body.get("token") or f"glpat-{secrets.token_urlsafe(15)[:20]}"
        made = self.state.tokens[text] = Token(
            self.state.ids.next(), text, self.state.user(body["login"]), list(scopes), body.get("name", "test"),
            self.state.clock.now(), body.get("expires_at"),
            project=self.place(body["project"]) if "project" in body else None)
        return {"token": text, "id": made.id}

    def repositories(self, body):
        """owner (a namespace, with / for subgroups), name; path (a bare repository served where it is) or copy_of;
        default_branch; settings; permissions {login: level}; protection {branch: rules}. For one that exists, its
        settings and permissions are changed."""
        known(body, "owner", "name", "path", "copy_of", "default_branch", "permissions", "protection", *SETTINGS)
        found, _ = self.state.project(f"{body['owner']}/{body['name']}")
        if not found:
            found = self.create(body)
        change(found, body, SETTINGS)
        for login, level in body.get("permissions", {}).items():
            if level not in LEVELS:
                raise Bad(f"a permission is one of {', '.join(LEVELS)}")
            found.members[self.state.user(login).username.lower()] = LEVELS[level]
        for branch, rule in body.get("protection", {}).items():
            self.protection({"repository": found.full_path, "branch": branch, **rule})
        return {"id": found.id, "full_name": found.full_path, "path": found.bare.path,
                "clone_url": f"{self.forge.origin}/{found.full_path}.git"}

    def create(self, body):
        made, branch = self.bare(body, body["owner"])
        now = self.state.clock.now()
        first = body["owner"].split("/")[0]
        creator = self.state.users.get(first.lower()) or self.state.add_user(f"{first}-creator")
        found = Project(self.state.ids.next(), body["owner"], body["name"], made, creator, now, branch, updated_at=now)
        found.known = made.refs(gitlab_pushes.HEADS)
        return self.state.add_place(found)

    def protection(self, body):
        """repository, branch, push_access_level, merge_access_level (0, 30, 40), allow_force_push; or `off`."""
        self.rules(body, self.place(body["repository"]).protections, Protection, RULES)

    def checks(self, body):
        """A job of the branch's pipeline (`job`, made when missing), a status of somebody else's (`context`), or, with
        neither, a new pipeline without jobs."""
        known(body, "repository", "branch", "sha", "job", "context", "status", "stage", "allow_failure", "source",
              "login", "description", "target_url", "new")
        found = self.place(body["repository"])
        with found.lock:
            branches = found.bare.branches()
            sha = body.get("sha") or branches[body["branch"]]
            ref = body.get("branch") or next((name for name, oid in branches.items() if oid == sha),
                                             found.default_branch)
            actor = self.state.user(body["login"]) if "login" in body else found.creator
            if "context" in body:
                job = gitlab_ci.set_status(self.state, found, actor, sha, body["status"], body["context"], ref,
                                           body.get("description"), body.get("target_url"))
                return {"id": job.id, "pipeline": job.pipeline.id}
            make = gitlab_ci.create if body.get("new") else gitlab_ci.find_or_create
            pipeline = make(self.state, found, actor, sha, ref, body.get("source", "push"))
            if "job" not in body:
                return {"pipeline": pipeline.id}
            job = next((one for one in pipeline.jobs if one.name == body["job"] and not one.external
                        and not one.retried and one.status not in gitlab_ci.DONE), None)
            if job:
                gitlab_ci.change(self.state, job, body["status"], actor)
            else:
                job = gitlab_ci.add_job(self.state, pipeline, actor, body["job"], body["status"],
                                        stage=body.get("stage", "test"), allow_failure=body.get("allow_failure", False))
            return {"id": job.id, "pipeline": pipeline.id}

    def limits(self, body):
        """token (or null for who has none), limit, remaining, reset."""
        known(body, "token", "limit", "remaining", "reset")
        key = body.get("token")
        self.forge.limits.set(key, **{name: body[name] for name in ("limit", "remaining", "reset") if name in body})
        return dict(self.forge.limits.of(key))

    def webhooks(self, body):
        """repository, url, secret, events; or `id` of one with `twice`, `bad_signature` (a wrong token), `delay_ms`."""
        known(body, "repository", "url", "secret", "insecure_ssl", "id", *QUIRKS)
        strange = set(body.get("events", ())) - set(ALL)
        if strange:
            raise Bad(f"no events: {', '.join(sorted(strange))}; there are {', '.join(ALL)}")

        def create():
            found = self.place(body["repository"])
            hook = Hook(self.state.ids.next(), str(uuid.uuid4()), found, body["url"], body.get("secret"), list(ALL),
                        insecure_ssl=body.get("insecure_ssl", False))
            found.hooks.append(hook)
            return hook
        return self.hook(body, create)

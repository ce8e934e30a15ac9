"""Routes about the site, people, repositories, branches and references."""

import github_pushes
from bare import ZERO
from github_rest import RELEASE, route
from github_state import Hook, Refused, invalid, level_of

REPOSITORY = "/repos/{owner}/{repo}"
ROOTS = {"authorizations": "/authorizations", "code_search": "/search/code?q={query}{&page,per_page,sort,order}",
         "commit_search": "/search/commits?q={query}{&page,per_page,sort,order}", "emails": "/user/emails",
         "emojis": "/emojis", "events": "/events", "feeds": "/feeds", "followers": "/user/followers",
         "following": "/user/following{/target}", "gists": "/gists{/gist_id}", "hub": "/hub",
         "issue_search": "/search/issues?q={query}{&page,per_page,sort,order}", "issues": "/issues",
         "keys": "/user/keys", "label_search": "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
         "notifications": "/notifications", "organization": "/orgs/{org}",
         "organization_repositories": "/orgs/{org}/repos{?type,page,per_page,sort}",
         "organization_teams": "/orgs/{org}/teams", "public_gists": "/gists/public", "rate_limit": "/rate_limit",
         "repository": "/repos/{owner}/{repo}",
         "repository_search": "/search/repositories?q={query}{&page,per_page,sort,order}",
         "current_user_repositories": "/user/repos{?type,page,per_page,sort}",
         "starred": "/user/starred{/owner}{/repo}",
         "starred_gists": "/gists/starred", "user": "/users/{user}", "user_organizations": "/user/orgs",
         "user_repositories": "/users/{user}/repos{?type,page,per_page,sort}",
         "user_search": "/search/users?q={query}{&page,per_page,sort,order}"}


@route("GET", "/", docs="/meta/meta#github-api-root")
def root(call):
    made = {"current_user_url": f"{call.forms.api}/user", **{f"{name}_url": call.forms.api + path
                                                            for name, path in ROOTS.items()}}
    made["current_user_authorizations_html_url"] = f"{call.site.origin}/settings/connections/applications{{/client_id}}"
    return made


@route("GET", "/meta", docs="/meta/meta#get-github-enterprise-server-meta-information")
def meta(call):
    return {"verifiable_password_authentication": True, "installed_version": RELEASE}


@route("GET", "/rate_limit", docs="/rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user")
def rate_limit(call):
    key = call.viewer.token.text if call.viewer.token else None
    shown = {resource: {name: value for name, value in call.site.limits.shown(key, resource).items()
                        if name != "resource"} for resource in ("core", "graphql", "search")}
    return {"resources": shown, "rate": shown["core"]}


@route("GET", "/user", needs=False, docs="/users/users#get-the-authenticated-user")
def user(call):
    if call.viewer.token.kind == "installation":
        raise Refused(403, "Resource not accessible by integration")
    return call.forms.full_user(call.actor, private=True)


@route("GET", "/users/{username}", docs="/users/users#get-a-user")
def a_user(call):
    return call.forms.full_user(call.state.user(call.parameters["username"]), private=False)


@route("GET", REPOSITORY, needs=("metadata", "read"), docs="/repos/repos#get-a-repository")
@route("GET", "/repositories/{repository_id}", needs=("metadata", "read"))
def repository(call):
    return call.forms.full_repository(call.repository, call.actor, call.viewer.level(call.repository))


@route("GET", REPOSITORY + "/branches", needs=("contents", "read"), docs="/branches/branches#list-branches")
@route("GET", "/repositories/{repository_id}/branches", needs=("contents", "read"))
def branches(call):
    found = sorted(call.repository.bare.branches().items())
    if "protected" in call.query:
        wanted = call.choice("protected", ("true", "false"), "true") == "true"
        found = [(name, oid) for name, oid in found if (name in call.repository.protections) == wanted]
    return [call.forms.short_branch(call.repository, name, oid) for name, oid in call.page(found)]


@route("GET", REPOSITORY + "/branches/{branch+}", needs=("contents", "read"), docs="/branches/branches#get-a-branch")
@route("GET", "/repositories/{repository_id}/branches/{branch+}", needs=("contents", "read"))
def branch(call):
    name = call.parameters["branch"]
    found = call.repository.bare.branches()
    if name not in found and name in call.repository.renamed:
        return call.site.elsewhere(call, f"/repositories/{call.repository.id}/branches/{call.repository.renamed[name]}")
    if name not in found:
        raise Refused(404, "Branch not found")
    return call.forms.branch(call.repository, name, found[name])


@route("GET", REPOSITORY + "/git/ref/{ref+}", needs=("contents", "read"), docs="/git/refs#get-a-reference")
@route("GET", "/repositories/{repository_id}/git/ref/{ref+}", needs=("contents", "read"))
def ref(call):
    name = f"refs/{call.parameters['ref']}"
    oid = call.repository.bare.refs().get(name)
    if oid is None:
        raise Refused(404, "Not Found")
    return call.forms.ref(call.repository, name, oid)


@route("DELETE", REPOSITORY + "/git/refs/{ref+}", needs=("contents", "write"), level="write",
       docs="/git/refs#delete-a-reference")
def delete_ref(call):
    name = f"refs/{call.parameters['ref']}"
    if not name.startswith(("refs/heads/", "refs/tags/")) or name not in call.repository.bare.refs():
        raise Refused(422, "Reference does not exist")
    if name == f"refs/heads/{call.repository.default_branch}":
        raise Refused(422, "Cannot delete the default branch")
    if "delete" in github_pushes.guarded(call.repository, call.actor).get(name, {}):
        raise Refused(422, "Cannot delete a protected branch")
    call.repository.bare.set_ref(name, ZERO)
    github_pushes.after(call.state, call.repository, call.actor)
    return 204, None


@route("GET", REPOSITORY + "/commits/{ref+}", needs=("contents", "read"), docs="/commits/commits#get-a-commit")
def commit(call):
    """After github_rest_checks' routes in the list, which have more behind the reference."""
    oid = call.repository.bare.resolve(call.parameters["ref"])
    if oid is None:
        raise Refused(422, f"No commit found for SHA: {call.parameters['ref']}")
    made = call.forms.commit(call.repository, oid)
    parents = call.repository.bare.commit(oid)["parents"]
    _, additions, deletions = call.repository.bare.counts(parents[0], oid) if parents else (0, 0, 0)
    return {**made, "stats": {"total": additions + deletions, "additions": additions, "deletions": deletions},
            "files": []}


@route("GET", REPOSITORY + "/collaborators/{username}/permission", needs=("metadata", "read"), level="write",
       lacking=(403, "Must have push access to view collaborator permission."),
       docs="/collaborators/collaborators#get-repository-permissions-for-a-user")
def permission(call):
    asked = call.state.users.get(call.parameters["username"].lower())
    if asked is None:
        raise Refused(404, f"{call.parameters['username']} is not a user")
    level = level_of(asked, call.repository)
    old = {"triage": "read", "maintain": "write"}.get(level, level)
    role = "" if level == "none" else level
    return {"permission": old, "role_name": role or "none",
            "user": {**call.forms.user(asked), "permissions": call.forms.rights(level), "role_name": role or "none"}}


@route("GET", REPOSITORY + "/hooks", needs=("repository_hooks", "read"), level="admin",
       docs="/repos/webhooks#list-repository-webhooks")
def hooks(call):
    return [call.forms.hook(hook) for hook in call.page(call.repository.hooks)]


@route("POST", REPOSITORY + "/hooks", needs=("repository_hooks", "write"), level="admin", resource="Hook",
       fields={"name": str, "config": dict, "events": list, "active": bool},
       docs="/repos/webhooks#create-a-repository-webhook")
def create_hook(call):
    config = call.body.get("config") or {}
    url = config.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid("Hook", "url", "missing_field")
    events = call.body.get("events") or ["push"]
    if any(hook.url == url and sorted(hook.events) == sorted(events) for hook in call.repository.hooks):
        raise invalid("Hook", None, "custom", "Hook already exists on this repository")
    active = call.body.get("active")
    made = Hook(call.state.ids.next(), call.repository, url, config.get("secret"), events, call.state.clock.now(),
                config.get("content_type", "form"), insecure_ssl=str(config.get("insecure_ssl", "0")) == "1",
                active=True if active is None else active)
    call.site.events.add_hook(made, call.actor)
    return 201, call.forms.hook(made)


@route("DELETE", REPOSITORY + "/hooks/{id}", needs=("repository_hooks", "write"), level="admin",
       docs="/repos/webhooks#delete-a-repository-webhook")
def delete_hook(call):
    call.repository.hooks.remove(call.by_number(call.repository.hooks))
    return 204, None

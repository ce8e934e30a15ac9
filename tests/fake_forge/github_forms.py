"""People, repositories, branches, pull requests and comments as GitHub's REST shows them. Checks and reviews are in
github_forms_checks."""

import urllib.parse

import github_merge
import github_pulls
from clock import iso
from github_state import association, level_of, at_least, node_id

# {name of the URL: what follows the repository's own URL}
REPOSITORY_URLS = {
    "archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}", "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}", "commits": "/commits{/sha}", "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}", "contributors": "/contributors", "deployments": "/deployments",
    "downloads": "/downloads", "events": "/events", "forks": "/forks", "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}", "git_tags": "/git/tags{/sha}", "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages",
    "merges": "/merges", "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
    "releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers", "subscription": "/subscription", "tags": "/tags", "teams": "/teams",
    "trees": "/git/trees{/sha}"}


class Forms:
    """The forms of one server: they carry its address."""

    def __init__(self, state, origin):
        self.state, self.origin, self.api = state, origin, f"{origin}/api/v3"

    def repository_url(self, repository):
        return f"{self.api}/repos/{repository.full_name}"

    def html_url(self, repository):
        return f"{self.origin}/{repository.full_name}"

    def user(self, user):
        login = user.rest_login
        url = f"{self.api}/users/{urllib.parse.quote(login)}"
        html = f"{self.origin}/apps/{user.login}" if user.kind == "Bot" else f"{self.origin}/{login}"
        return {"login": login, "id": user.number, "node_id": node_id(user),
                "avatar_url": f"{self.origin}/avatars/u/{user.number}?", "gravatar_id": "", "url": url,
                "html_url": html, "followers_url": f"{url}/followers",
                "following_url": f"{url}/following{{/other_user}}", "gists_url": f"{url}/gists{{/gist_id}}",
                "starred_url": f"{url}/starred{{/owner}}{{/repo}}", "subscriptions_url": f"{url}/subscriptions",
                "organizations_url": f"{url}/orgs", "repos_url": f"{url}/repos",
                "events_url": f"{url}/events{{/privacy}}", "received_events_url": f"{url}/received_events",
                "type": user.kind, "site_admin": user.site_admin}

    def full_user(self, user, private):
        repositories = [found for found in list(self.state.places.values()) if found.owner is user]
        made = {**self.user(user), "name": user.name, "company": None, "blog": "", "location": None, "email": None,
                "hireable": None, "bio": None, "public_repos": sum(not found.private for found in repositories),
                "public_gists": 0, "followers": 0, "following": 0, "created_at": iso(user.created_at),
                "updated_at": iso(user.created_at)}
        if private:
            hidden = sum(found.private for found in repositories)
            made.update(private_gists=0, total_private_repos=hidden, owned_private_repos=hidden, disk_usage=0,
                        collaborators=0, two_factor_authentication=False)
        return made

    def simple_repository(self, repository):
        url = self.repository_url(repository)
        return {"id": repository.id, "node_id": node_id(repository), "name": repository.name,
                "full_name": repository.full_name, "private": repository.private,
                "owner": self.user(repository.owner), "html_url": self.html_url(repository),
                "description": repository.description, "fork": False, "url": url,
                **{f"{name}_url": url + rest for name, rest in REPOSITORY_URLS.items()}}

    def repository(self, repository, viewer=None):
        pulls = sum(pull.state == "open" for pull in repository.pulls.values())
        address = self.html_url(repository)
        host = self.origin.split("//")[1]
        return {**self.simple_repository(repository), "created_at": iso(repository.created_at),
                "updated_at": iso(repository.updated_at), "pushed_at": iso(repository.pushed_at),
                "git_url": f"git://{host}/{repository.full_name}.git",
                "ssh_url": f"git@{host.split(':')[0]}:{repository.full_name}.git", "clone_url": f"{address}.git",
                "svn_url": address, "homepage": None, "size": 0, "stargazers_count": 0, "watchers_count": 0,
                "language": None, "has_issues": True, "has_projects": False, "has_downloads": True, "has_wiki": False,
                "has_pages": False, "has_discussions": False, "forks_count": 0, "mirror_url": None,
                "archived": repository.archived, "disabled": False, "open_issues_count": pulls, "license": None,
                "allow_forking": True, "is_template": False, "web_commit_signoff_required": False, "topics": [],
                "visibility": "private" if repository.private else "public", "forks": 0, "open_issues": pulls,
                "watchers": 0, "default_branch": repository.default_branch,
                **({"permissions": self.permissions(repository, viewer)} if viewer else {})}

    def full_repository(self, repository, viewer, level):
        made = self.repository(repository)
        if viewer:
            made["permissions"] = self.rights(level)
        if at_least(level, "write"):
            made.update({name: getattr(repository, name) for name in (
                "allow_merge_commit", "allow_squash_merge", "allow_rebase_merge", "delete_branch_on_merge")})
            made.update(allow_auto_merge=False, allow_update_branch=False, use_squash_pr_title_as_default=False,
                        squash_merge_commit_title="COMMIT_OR_PR_TITLE", squash_merge_commit_message="COMMIT_MESSAGES",
                        merge_commit_title="MERGE_MESSAGE", merge_commit_message="PR_TITLE", temp_clone_token="")
        return {**made, "network_count": 0, "subscribers_count": 0}

    def permissions(self, repository, viewer):
        return self.rights(level_of(viewer, repository))

    @staticmethod
    def rights(level):
        return {name: at_least(level, least) for name, least in (
            ("admin", "admin"), ("maintain", "maintain"), ("push", "write"), ("triage", "triage"), ("pull", "read"))}

    def commit(self, repository, oid):
        found, url = repository.bare.commit(oid), self.repository_url(repository)
        html = self.html_url(repository)
        author, committer = (self.state.by_email(found[f"{role}_email"]) for role in ("author", "committer"))
        return {"sha": oid, "node_id": f"C_kwDO{oid[:20]}",
                "commit": {"author": {"name": found["author"], "email": found["author_email"],
                                      "date": iso(found["authored_at"])},
                           "committer": {"name": found["committer"], "email": found["committer_email"],
                                         "date": iso(found["committed_at"])},
                           "message": found["message"],
                           "tree": {"sha": found["tree"], "url": f"{url}/git/trees/{found['tree']}"},
                           "url": f"{url}/git/commits/{oid}", "comment_count": 0,
                           "verification": {"verified": False, "reason": "unsigned", "signature": None,
                                            "payload": None, "verified_at": None}},
                "url": f"{url}/commits/{oid}", "html_url": f"{html}/commit/{oid}",
                "comments_url": f"{url}/commits/{oid}/comments", "author": self.user(author) if author else None,
                "committer": self.user(committer) if committer else None,
                "parents": [{"sha": parent, "url": f"{url}/commits/{parent}", "html_url": f"{html}/commit/{parent}"}
                            for parent in found["parents"]]}

    def short_branch(self, repository, name, oid):
        url = self.repository_url(repository)
        return {"name": name, "commit": {"sha": oid, "url": f"{url}/commits/{oid}"},
                "protected": name in repository.protections, "protection": self.protection(repository, name),
                "protection_url": f"{url}/branches/{name}/protection"}

    def branch(self, repository, name, oid):
        url = self.repository_url(repository)
        return {**self.short_branch(repository, name, oid), "commit": self.commit(repository, oid),
                "_links": {"self": f"{url}/branches/{name}", "html": f"{self.html_url(repository)}/tree/{name}"}}

    @staticmethod
    def protection(repository, name):
        rule = repository.protections.get(name)
        checks = rule.required_checks if rule else []
        level = "off" if not checks else "everyone" if rule.enforce_admins else "non_admins"
        return {"enabled": rule is not None, "required_status_checks": {
            "enforcement_level": level, "contexts": list(checks),
            "checks": [{"context": check, "app_id": None} for check in checks]}}

    def ref(self, repository, ref, oid):
        url = self.repository_url(repository)
        kind = repository.bare.run("cat-file", "-t", oid).strip()
        return {"ref": ref, "node_id": f"REF_{repository.id}:{ref}", "url": f"{url}/git/{ref}",
                "object": {"sha": oid, "type": kind, "url": f"{url}/git/{kind}s/{oid}"}}

    def pull_urls(self, pull):
        url = f"{self.repository_url(pull.repository)}/pulls/{pull.number}"
        issue = f"{self.repository_url(pull.repository)}/issues/{pull.number}"
        html = f"{self.html_url(pull.repository)}/pull/{pull.number}"
        return url, issue, html

    def end(self, pull, branch, oid, viewer):
        repository = pull.repository
        return {"label": f"{repository.owner.login}:{branch}", "ref": branch, "sha": oid,
                "user": self.user(repository.owner), "repo": self.repository(repository, viewer)}

    def simple_pull(self, pull, viewer=None):
        url, issue, html = self.pull_urls(pull)
        repository_url = self.repository_url(pull.repository)
        statuses = f"{repository_url}/statuses/{pull.head_sha}"
        links = {"self": url, "html": html, "issue": issue, "comments": f"{issue}/comments",
                 "review_comments": f"{url}/comments", "review_comment": f"{repository_url}/pulls/comments{{/number}}",
                 "commits": f"{url}/commits", "statuses": statuses}
        return {"url": url, "id": pull.id, "node_id": node_id(pull), "html_url": html, "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch", "issue_url": issue, "number": pull.number, "state": pull.state,
                "locked": False, "title": pull.title, "user": self.user(pull.user), "body": pull.body,
                "created_at": iso(pull.created_at), "updated_at": iso(pull.updated_at),
                "closed_at": iso(pull.closed_at), "merged_at": iso(pull.merged_at), "merge_commit_sha": pull.merge_sha,
                "assignee": None, "assignees": [], "requested_reviewers": [], "requested_teams": [], "labels": [],
                "milestone": None, "draft": pull.draft, "commits_url": f"{url}/commits",
                "review_comments_url": f"{url}/comments",
                "review_comment_url": f"{repository_url}/pulls/comments{{/number}}",
                "comments_url": f"{issue}/comments", "statuses_url": statuses,
                "head": self.end(pull, pull.head, pull.head_sha, viewer),
                "base": self.end(pull, pull.base, pull.base_sha, viewer),
                "_links": {name: {"href": link} for name, link in links.items()},
                "author_association": association(pull.user, pull.repository), "auto_merge": None,
                "active_lock_reason": None}

    def pull(self, pull, viewer=None, asked=True):
        """`asked` is false in webhooks: they tell what is known without starting the work."""
        mergeable = github_merge.ask(pull) if asked else pull.mergeable
        files, additions, deletions = pull.repository.bare.counts(github_pulls.fork_point(pull), pull.head_sha)
        review_comments = sum(len(thread.comments) for thread in pull.threads)
        return {**self.simple_pull(pull, viewer), "merged": pull.merged_at is not None, "mergeable": mergeable,
                "rebaseable": mergeable, "mergeable_state": github_merge.merge_state(pull, mergeable),
                "merged_by": self.user(pull.merged_by) if pull.merged_by else None, "comments": len(pull.comments),
                "review_comments": review_comments, "maintainer_can_modify": False,
                "commits": len(github_pulls.commits(pull)), "additions": additions, "deletions": deletions,
                "changed_files": files}

    def comment(self, comment):
        issue = self.pull_urls(comment.pull)[1]
        url = f"{self.repository_url(comment.repository)}/issues/comments/{comment.number}"
        return {"url": url, "html_url": f"{self.pull_urls(comment.pull)[2]}#issuecomment-{comment.number}",
                "issue_url": issue, "id": comment.number, "node_id": node_id(comment),
                "user": self.user(comment.user), "created_at": iso(comment.created_at),
                "updated_at": iso(comment.updated_at), "body": comment.body,
                "author_association": association(comment.user, comment.repository),
                "reactions": self.reactions(url), "performed_via_github_app": None}

    @staticmethod
    def reactions(url):
        kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
        return {"url": f"{url}/reactions", "total_count": 0, **{kind: 0 for kind in kinds}}

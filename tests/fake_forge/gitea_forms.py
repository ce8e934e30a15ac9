"""What Gitea's REST and webhooks show."""

import urllib.parse

import gitea_merge
import gitea_statuses
from clock import iso
from gitea_state import LEVELS, level_of, may_merge, may_push

SETTINGS = ("archived", "private", "description", "default_branch", "has_pull_requests", "allow_merge_commits",
            "allow_rebase", "allow_rebase_explicit", "allow_squash_merge", "allow_fast_forward_only_merge",
            "default_merge_style", "default_delete_branch_after_merge")
EPOCH = "1970-01-01T00:00:00Z"


class Forms:
    """The forms of one server: they carry its address."""

    def __init__(self, state, origin):
        self.state, self.origin, self.api = state, origin, f"{origin}/api/v1"

    def html_url(self, repository):
        return f"{self.origin}/{repository.full_name}"

    def api_url(self, repository):
        return f"{self.api}/repos/{repository.full_name}"

    def pull_url(self, pull):
        return f"{self.html_url(pull.repository)}/pulls/{pull.number}"

    def user(self, user):
        if user is None:
            return None
        return {"id": user.id, "login": user.login, "login_name": "", "source_id": 0, "full_name": user.name,
                "email": user.email, "avatar_url": f"{self.origin}/avatars/{user.id}",
                "html_url": f"{self.origin}/{user.login}", "language": "", "is_admin": False, "last_login": EPOCH,
                "created": iso(user.created_at), "restricted": False, "active": False, "prohibit_login": False,
                "location": "", "website": "", "description": "", "visibility": "public", "followers_count": 0,
                "following_count": 0, "starred_repos_count": 0, "username": user.login}

    def repository(self, repository, viewer=None):
        """`permissions` are those of the one who asks."""
        url, rank = self.html_url(repository), LEVELS.index(level_of(viewer, repository)) if viewer else 1
        permissions = {name: rank >= LEVELS.index(level) for name, level in
                       (("admin", "admin"), ("push", "write"), ("pull", "read"))}
        return {"id": repository.id, "owner": self.user(repository.owner), "name": repository.name,
                "full_name": repository.full_name, "empty": not repository.bare.branches(), "fork": False,
                "template": False, "mirror": False, "size": 24, "language": "", "url": self.api_url(repository),
                "languages_url": f"{self.api_url(repository)}/languages", "html_url": url, "link": "",
                "ssh_url": f"git@localhost:{repository.full_name}.git", "clone_url": f"{url}.git", "original_url": "",
                "website": "", "stars_count": 0, "forks_count": 0, "watchers_count": 1, "open_issues_count": 0,
                "open_pr_counter": len([one for one in repository.pulls.values() if one.state == "open"]),
                "release_counter": 0, "created_at": iso(repository.created_at),
                "updated_at": iso(repository.updated_at), "archived_at": EPOCH, "permissions": permissions,
                "has_issues": True, "internal_tracker": {"enable_time_tracker": True, "enable_issue_dependencies": True,
                                                         "allow_only_contributors_to_track_time": True},
                "has_wiki": True, "has_projects": True, "projects_mode": "all", "has_releases": True,
                "has_packages": True, "has_actions": True, "ignore_whitespace_conflicts": False,
                "allow_rebase_update": True, "default_allow_maintainer_edit": False, "avatar_url": "",
                "internal": False, "mirror_interval": "", "object_format_name": "sha1", "mirror_updated": EPOCH,
                "topics": [], "licenses": None, **{name: getattr(repository, name) for name in SETTINGS}}

    def commit(self, repository, oid):
        """As branches and webhooks have it."""
        found = repository.bare.commit(oid)
        people = {role: {"name": found[role], "email": found[f"{role}_email"], "username": ""}
                  for role in ("author", "committer")}
        return {"id": oid, "message": found["message"] + "\n", "url": f"{self.html_url(repository)}/commit/{oid}",
                **people, "verification": None, "timestamp": iso(found["committed_at"]), "added": None,
                "removed": None, "modified": None}

    def branch(self, repository, name, viewer):
        rule = repository.protections.get(name)
        admin = level_of(viewer, repository) in ("admin", "owner")
        return {"name": name, "commit": self.commit(repository, repository.bare.branches()[name]),
                "protected": bool(rule), "required_approvals": rule.required_approvals if rule else 0,
                "enable_status_check": bool(rule and rule.enable_status_check),
                "status_check_contexts": rule.status_check_contexts if rule else [],
                "user_can_push": may_push(viewer, repository, name),
                "user_can_merge": may_merge(viewer, repository, name),
                "effective_branch_protection_name": name if rule and admin else ""}

    def protection(self, name, rule):
        return {"branch_name": name, "rule_name": name, "enable_push": rule.enable_push,
                "enable_push_whitelist": rule.push_whitelist_usernames is not None,
                "push_whitelist_usernames": rule.push_whitelist_usernames or [],
                "enable_force_push": rule.enable_force_push,
                "enable_merge_whitelist": rule.merge_whitelist_usernames is not None,
                "merge_whitelist_usernames": rule.merge_whitelist_usernames or [],
                "enable_approvals_whitelist": rule.approvals_whitelist_username is not None,
                "approvals_whitelist_username": rule.approvals_whitelist_username or [],
                **{one: getattr(rule, one) for one in (
                    "required_approvals", "enable_status_check", "status_check_contexts", "block_on_rejected_reviews",
                    "block_on_outdated_branch", "dismiss_stale_approvals", "ignore_stale_approvals",
                    "block_admin_merge_override")}}

    def pull(self, pull, viewer=None):
        repository, branches = pull.repository, pull.repository.bare.branches()
        url, shown = self.pull_url(pull), self.repository(pull.repository, viewer)
        gone = pull.head not in branches
        return {"id": pull.id, "url": url, "number": pull.number, "user": self.user(pull.user), "title": pull.title,
                "body": pull.body, "labels": [], "milestone": None, "assignee": None, "assignees": [],
                "requested_reviewers": [], "requested_reviewers_teams": [], "state": pull.state, "draft": pull.draft,
                "is_locked": False, "comments": len(pull.comments),
                "review_comments": sum(len(one.comments) for one in pull.reviews), "html_url": url,
                "diff_url": f"{url}.diff", "patch_url": f"{url}.patch",
                "mergeable": bool(pull.merged_at) or gitea_merge.mergeable(pull), "merged": bool(pull.merged_at),
                "merged_at": iso(pull.merged_at), "merge_commit_sha": pull.merge_commit,
                "merged_by": self.user(pull.merged_by), "allow_maintainer_edit": False,
                # The tip of the target as it is now, whereas merge_base is as old as mergeable.
                "base": {"label": pull.base, "ref": pull.base, "sha": branches.get(pull.base, ""),
                         "repo_id": repository.id, "repo": shown},
                "head": {"label": pull.head, "ref": f"refs/pull/{pull.number}/head" if gone else pull.head,
                         "sha": pull.head_sha if gone else branches[pull.head], "repo_id": repository.id,
                         "repo": shown},
                "merge_base": pull.merge_base, "due_date": None, "created_at": iso(pull.created_at),
                "updated_at": iso(pull.updated_at), "closed_at": iso(pull.closed_at), "pin_order": 0}

    def review(self, review):
        url = self.pull_url(review.pull)
        return {"id": review.id, "user": self.user(review.user), "team": None, "state": review.state,
                "body": review.body, "commit_id": review.commit, "stale": review.stale, "official": review.official,
                "dismissed": review.dismissed, "comments_count": len(review.comments),
                "submitted_at": iso(review.created_at), "updated_at": iso(review.updated_at),
                "html_url": f"{url}#issuecomment-{review.id}", "pull_request_url": url}

    def review_comment(self, comment):
        url = self.pull_url(comment.review.pull)
        return {"id": comment.id, "body": comment.body, "user": self.user(comment.user),
                "resolver": self.user(comment.resolver), "pull_request_review_id": comment.review.id,
                "created_at": iso(comment.created_at), "updated_at": iso(comment.updated_at), "path": comment.path,
                "commit_id": comment.commit, "original_commit_id": "", "diff_hunk": comment.hunk,
                "position": max(0, comment.line), "original_position": max(0, -comment.line),
                "html_url": f"{url}#issuecomment-{comment.id}", "pull_request_url": url}

    def comment(self, comment):
        url = self.pull_url(comment.pull)
        return {"id": comment.id, "html_url": f"{url}#issuecomment-{comment.id}", "pull_request_url": url,
                "issue_url": "", "user": self.user(comment.user), "original_author": "", "original_author_id": 0,
                "body": comment.body, "assets": [], "created_at": iso(comment.created_at),
                "updated_at": iso(comment.updated_at)}

    def status(self, repository, status):
        """The state is called `status` here."""
        return {"id": status.id, "status": status.state, "target_url": status.target_url,
                "description": status.description, "context": status.context, "creator": self.user(status.creator),
                "url": f"{self.api_url(repository)}/statuses/{status.sha}",
                "created_at": iso(status.created_at), "updated_at": iso(status.created_at)}

    def combined(self, repository, sha, statuses, total, viewer):
        """Without a status nothing is filled in."""
        if not total and not self.state.version.gitea(1, 25):
            return {"state": "", "sha": "", "total_count": 0, "statuses": None, "repository": None, "commit_url": "",
                    "url": ""}
        url = self.api_url(repository)
        return {"state": gitea_statuses.combined(self.state.version, statuses), "sha": sha, "total_count": total,
                "statuses": [self.status(repository, one) for one in statuses],
                "repository": self.repository(repository, viewer), "commit_url": f"{url}/commits/{sha}",
                "url": f"{url}/commits/{urllib.parse.quote(sha)}/status"}

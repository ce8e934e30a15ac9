"""Pull requests: opened, changed, closed, opened again. Callers hold the repository's lock."""

import gitea_merge
from gitea_state import Pull, Refused, at_least, not_found


def open_between(repository, head, base):
    return next((pull for pull in repository.pulls.values()
                 if pull.state == "open" and (pull.head, pull.base) == (head, base)), None)


def already(pull):
    number = pull.repository.id
    return Refused(409, f"pull request already exists for these targets [id: {pull.id}, issue_id: {pull.number}, "
                        f"head_repo_id: {number}, base_repo_id: {number}, head_branch: {pull.head}, "
                        f"base_branch: {pull.base}]")


def open_pull(state, repository, user, title, head, base, body=""):
    """Whoever may read may ask; a branch that is not there is not found."""
    if head == base:
        raise Refused(422, "Invalid PullRequest: There are no changes between the head and the base")
    owner, colon, branch = head.partition(":")
    if colon:
        if owner.lower() != repository.owner.login.lower():
            raise not_found()
        head = branch
    branches, bare = repository.bare.branches(), repository.bare
    if head not in branches or base not in branches:
        if bare.resolve(head) and bare.resolve(base):
            raise Refused(422, "Invalid PullRequest: base and head must be branches")
        raise not_found()
    other = open_between(repository, head, base)
    if other:
        raise already(other)
    repository.last_number += 1
    now = state.clock.now()
    pull = Pull(state.ids.next(), repository, repository.last_number, title, body or "", user, head, base,
                branches[head], bare.merge_base(branches[base], branches[head]) or "", now, now)
    repository.pulls[pull.number] = pull
    bare.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)
    state.told(repository, "pull_request", "opened", user, pull=pull)
    return pull


def edit(state, pull, user, title=None, body=None, base=None):
    repository, changes = pull.repository, {}
    if title and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        changes["body"] = {"from": pull.body}
        pull.body = body
    if base and base != pull.base and not pull.merged_at:
        if base not in repository.bare.branches():
            raise not_found(f"new base '{base}' not exist")
        if pull.state != "open":
            raise Refused(422, f"issue is closed [id: {pull.id}, repo_id: {repository.id}, index: {pull.number}]")
        other = open_between(repository, pull.head, base)
        if other:
            raise already(other)
        changes["ref"] = {"from": pull.base}
        pull.base = base
        gitea_merge.unchecked(pull)
    if changes:
        pull.updated_at = state.clock.now()
        state.told(repository, "pull_request", "edited", user, pull=pull, changes=changes)


def set_draft(state, pull, user, draft):
    if pull.draft != draft:
        edit(state, pull, user, f"WIP: {pull.title}" if draft else pull.title.split(":", 1)[-1].strip())


def set_state(state, pull, user, value):
    if pull.merged_at:
        raise Refused(412, "cannot change state of this pull request, it was already merged")
    if value not in ("open", "closed"):
        raise Refused(412, f"invalid state: {value}")
    if value == pull.state:
        return
    now = state.clock.now()
    pull.state, pull.closed_at, pull.updated_at = value, now if value == "closed" else None, now
    if value == "open":
        gitea_merge.unchecked(pull)
    state.told(pull.repository, "pull_request", "closed" if value == "closed" else "reopened", user, pull=pull)


def may_edit(pull, user):
    return user is pull.user or at_least(user, pull.repository, "write")

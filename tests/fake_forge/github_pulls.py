"""Pull requests: opened, changed, closed, opened again. Callers hold the repository's lock."""

from github_state import Pull, Refused, invalid


def head_name(repository, head):
    """The branch of `branch` or `owner:branch`; forks are not played, so the owner must be the repository's."""
    owner, separator, branch = head.rpartition(":")
    if separator and owner.lower() != repository.owner.login.lower():
        raise invalid("PullRequest", "head", "invalid")
    return branch


def already_open(repository, head, base):
    return next((pull for pull in repository.pulls.values()
                 if pull.state == "open" and pull.head == head and pull.base == base), None)


def open_pull(state, repository, actor, title, head, base, body=None, draft=False, can_modify=True):
    branch = head_name(repository, head)
    branches = repository.bare.branches()
    wrong = [{"resource": "PullRequest", "field": name, "code": "invalid"}
             for name, value in (("head", branch), ("base", base)) if value not in branches]
    if wrong:
        told = "Head sha can't be blank, Base sha can't be blank, Head ref must be a branch"
        raise Refused(422, "Validation Failed", wrong, told=told)
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    if already_open(repository, branch, base):
        raise invalid("PullRequest", None, "custom",
                      f"A pull request already exists for {repository.owner.login}:{branch}.")
    if not repository.bare.between(branches[base], branches[branch]):
        raise invalid("PullRequest", None, "custom", f"No commits between {base} and {branch}")
    if repository.bare.merge_base(branches[base], branches[branch]) is None:
        raise invalid("PullRequest", None, "custom",
                      f"The {branch} branch has no history in common with {base}")
    repository.last_number += 1
    now = state.clock.now()
    pull = Pull(state.ids.next(), repository, repository.last_number, title, body, actor, branch, base,
                branches[branch], branches[base], now, now, draft=draft, can_modify=can_modify)
    repository.pulls[pull.number] = state.keep(pull)
    repository.bare.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)
    state.told(repository, "pull_request", "opened", actor, pull=pull)
    return pull


def changed(pull):
    """Whether it can be merged has to be worked out anew."""
    pull.mergeable, pull.asked = None, 0


def edit(state, pull, actor, title=None, body=None, base=None, can_modify=None):
    repository, changes = pull.repository, {}
    if base is not None and base != pull.base:
        tip = repository.bare.branches().get(base)
        if tip is None:
            raise invalid("PullRequest", "base", "invalid")
        if pull.state != "open":
            raise invalid("PullRequest", "base", "custom", "Cannot change the base branch of a closed pull request.")
        if already_open(repository, pull.head, base):
            raise invalid("PullRequest", "base", "custom",
                          f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'")
        if not repository.bare.between(tip, pull.head_sha):
            raise invalid("PullRequest", "base", "custom",
                          f"There are no new commits between base branch '{base}' and head branch '{pull.head}'")
        changes["base"] = {"ref": {"from": pull.base}, "sha": {"from": pull.base_sha}}
        pull.base, pull.base_sha = base, tip
        changed(pull)
    if title is not None and title != pull.title:
        if not title:
            raise invalid("PullRequest", "title", "missing_field")
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != (pull.body or ""):
        changes["body"] = {"from": pull.body or ""}
        pull.body = body
    if can_modify is not None:
        pull.can_modify = can_modify
    if changes:
        pull.updated_at = state.clock.now()
        state.told(repository, "pull_request", "edited", actor, pull=pull, changes=changes)


def close(state, pull, actor):
    if pull.state == "closed":
        return
    pull.state = "closed"
    pull.closed_at = pull.updated_at = state.clock.now()
    changed(pull)
    state.told(pull.repository, "pull_request", "closed", actor, pull=pull)


def reopen(state, pull, actor):
    if pull.state == "open":
        return
    repository = pull.repository
    branches = repository.bare.branches()

    def cannot(why):
        return invalid("PullRequest", "state", "invalid", f"state cannot be changed. {why}")
    if pull.merged_at:
        raise cannot("The pull request cannot be reopened.")
    if pull.head not in branches:
        raise cannot(f"The {pull.head} branch has been deleted.")
    if pull.base not in branches:
        raise cannot(f"The {pull.base} branch has been deleted.")
    if not repository.bare.ancestor(pull.head_sha, branches[pull.head]):
        raise cannot(f"The {pull.head} branch was force-pushed or recreated.")
    if already_open(repository, pull.head, pull.base):
        raise cannot(f"There is already an open pull request from {repository.owner.login}:{pull.head} to "
                     f"{repository.owner.login}:{pull.base}.")
    if not repository.bare.between(branches[pull.base], branches[pull.head]):
        raise cannot(f"There are no new commits on the {repository.owner.login}:{pull.head} branch.")
    pull.state, pull.closed_at, pull.updated_at = "open", None, state.clock.now()
    pull.head_sha, pull.base_sha = branches[pull.head], branches[pull.base]
    repository.bare.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)
    changed(pull)
    state.told(repository, "pull_request", "reopened", actor, pull=pull)


def set_draft(state, pull, actor, draft):
    if pull.draft == draft:
        return
    pull.draft, pull.updated_at = draft, state.clock.now()
    state.told(pull.repository, "pull_request", "converted_to_draft" if draft else "ready_for_review", actor, pull=pull)


def commits(pull):
    """Oids of the pull request's commits, oldest first."""
    if pull.merge_sha and pull.merged_at:
        base = pull.base_sha
    else:
        base = pull.repository.bare.branches().get(pull.base, pull.base_sha)
    return pull.repository.bare.between(base, pull.head_sha)


def fork_point(pull):
    return pull.repository.bare.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha

"""Statuses of commits, and what they come to. Callers hold the repository's lock."""

import fnmatch

from gitea_state import Status

# From the worst to the best, as versions before 1.25 and Forgejo rank them.
RANK = ("error", "failure", "warning", "pending", "success", "skipped")
STATES = RANK


def states_of(version):
    """Which states there are."""
    return STATES if version.gitea(1, 25) else STATES[:-1]


def set_status(state, repository, creator, sha, value, context="default", description="", target_url=""):
    made = Status(state.ids.next(), sha, context or "default", value, creator, state.clock.now(), description or "",
                  target_url or "")
    repository.statuses.append(made)
    state.told(repository, "status", None, creator, status=made)
    return made


def of_commit(repository, sha):
    """All, newest first."""
    return [one for one in reversed(repository.statuses) if one.sha == sha]


def latest(repository, sha):
    """The newest of each context."""
    found = {}
    for one in of_commit(repository, sha):
        found.setdefault(one.context, one)
    return list(found.values())


def combined(version, statuses):
    """One state for all; before 1.25, and at Forgejo, the worst of them."""
    states = [one.state for one in statuses]
    if not version.gitea(1, 25):
        return min(states, key=RANK.index) if states else ""
    if "error" in states or "failure" in states:
        return "failure"
    return "pending" if "pending" in states or not states else "success"


def required_state(version, rule, repository, sha):
    """What the contexts that a protection requires come to; a pattern without a status is still to come. A protection
    that names none requires all that there are."""
    statuses, missing = latest(repository, sha), False
    if rule.status_check_contexts:
        wanted = []
        for pattern in rule.status_check_contexts:
            fits = [one for one in statuses if fnmatch.fnmatchcase(one.context, pattern)]
            wanted += fits
            missing = missing or not fits
        statuses = wanted
    value = combined(version, statuses)
    return "pending" if missing and value in ("success", "skipped", "") else value or "success"

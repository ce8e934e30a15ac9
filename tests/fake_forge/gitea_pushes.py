"""What a push does beyond git: pull requests move with their branches, are closed or retargeted, and approvals go
stale. And what a push may not do. Callers hold the repository's lock."""

import bare
import gitea_merge
import gitea_pulls
import gitea_reviews
from bare import HEADS, ZERO
from gitea_state import may_force, may_push


def after(state, repository, user):
    """Compares the references with those of the last look and does what follows. All ways of pushing end here."""
    for ref, old, new in bare.moved(repository):
        branch = ref[len(HEADS):]
        repository.updated_at = state.clock.now()
        opened = [pull for pull in repository.pulls.values() if pull.state == "open"]
        if new == ZERO:
            deleted(state, repository, user, branch, opened)
        else:
            for pull in opened:
                if pull.head == branch:
                    moved(state, pull, user, old, new)
                elif pull.base == branch:
                    base_moved(state, pull, user, new)
        if ZERO in (old, new):
            state.told(repository, "create" if old == ZERO else "delete", None, user, ref=ref, before=old, after=new)
        if new != ZERO:
            state.told(repository, "push", None, user, ref=ref, before=old, after=new)


def deleted(state, repository, user, branch, opened):
    merged = next((pull for pull in repository.pulls.values() if pull.merged_at and pull.head == branch), None)
    for pull in opened:
        if pull.base == branch and merged and pull.head != merged.base:
            # What was stacked on a merged branch goes where that went.
            gitea_pulls.edit(state, pull, user, base=merged.base)
        elif branch in (pull.head, pull.base):
            gitea_pulls.set_state(state, pull, user, "closed")


def moved(state, pull, user, old, new):
    repository = pull.repository
    was = repository.bare.diff(pull.merge_base, old) if pull.merge_base and old != ZERO else None
    pull.head_sha, pull.updated_at = new, state.clock.now()
    repository.bare.set_ref(f"refs/pull/{pull.number}/head", new)
    gitea_merge.unchecked(pull)
    fork = repository.bare.merge_base(gitea_merge.tip(pull) or new, new)
    if was is None or fork is None or was != repository.bare.diff(fork, new):
        gitea_reviews.follow(pull, repository.protections.get(pull.base))
    state.told(repository, "pull_request_sync", "synchronized", user, pull=pull)


def base_moved(state, pull, user, new):
    """A push that brings the head merges the pull request only where the repository says so."""
    gitea_merge.unchecked(pull)
    git = pull.repository.bare
    if pull.repository.autodetect_manual_merge and git.ancestor(pull.head_sha, new):
        merges = git.run("rev-list", "--ancestry-path", "--merges", "--reverse", f"{pull.head_sha}..{new}").split()
        gitea_merge.settle(state, pull, user, merges[0] if merges else pull.head_sha)


def guarded(state, repository, user):
    """For git_http.serve: what pushes to protected branches, and the deletion of the default branch, are told."""
    made = {}
    for branch in {*repository.protections, repository.default_branch}:
        ways = {}
        if not may_push(user, repository, branch):
            ways["update"] = f"Not allowed to push to protected branch {branch}"
        if not may_force(user, repository, branch):
            ways["force"] = f"Not allowed to force-push to protected branch {branch}"
        if branch in repository.protections:
            ways["delete"] = f"branch {branch} is protected from deletion"
        if branch == repository.default_branch:
            ways["delete"] = f"branch {branch} is the default branch and cannot be deleted"
        made[HEADS + branch] = {way: {"lines": [f"{state.version.name}: {words}"],
                                      "reason": "pre-receive hook declined"} for way, words in ways.items()}
    return made

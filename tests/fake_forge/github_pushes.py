"""What a push does beyond git: pull requests move with their branches, are closed, merged or retargeted, and approvals
go stale. And what a push may not do. Callers hold the repository's lock."""

import bare
import github_checks
import github_merge
import github_pulls
import github_reviews
from bare import HEADS, ZERO
from github_state import at_least, level_of


def after(state, repository, actor):
    """Compares the references with those of the last look and does what follows. All ways of pushing end here."""
    changes = bare.moved(repository)
    if changes:
        repository.pushed_at = repository.updated_at = state.clock.now()
    for ref, old, new in changes:
        branch = ref[len(HEADS):]
        open_pulls = [pull for pull in repository.pulls.values() if pull.state == "open"]
        if new == ZERO:
            deleted(state, repository, actor, branch, open_pulls)
        else:
            for pull in open_pulls:
                if pull.head == branch:
                    moved(state, pull, actor, new)
            for pull in open_pulls:
                if pull.base == branch and pull.state == "open":
                    base_moved(state, pull, actor, new)
        state.told(repository, "push", None, actor, pushed_to=repository, pusher=actor, ref=ref, before=old,
                   after=new)


def deleted(state, repository, actor, branch, open_pulls):
    merged = next((pull for pull in repository.pulls.values() if pull.merged_at and pull.head == branch), None)
    for pull in open_pulls:
        if pull.base == branch and merged and pull.head != merged.base:
            # What was stacked on a merged branch goes where that went.
            pull.base, pull.base_sha = merged.base, repository.bare.branches().get(merged.base, pull.base_sha)
            github_pulls.changed(pull)
            pull.updated_at = state.clock.now()
            state.told(repository, "pull_request", "edited", actor, pull=pull, changes={"base": {
                "ref": {"from": branch}, "sha": {"from": pull.base_sha}}})
        elif branch in (pull.head, pull.base):
            github_pulls.close(state, pull, actor)
    repository.protections.pop(branch, None)


def moved(state, pull, actor, new):
    repository, before = pull.repository, pull.head_sha
    if before == new:
        return
    was = repository.bare.diff(github_pulls.fork_point(pull), before)
    pull.head_sha = new
    pull.base_sha = repository.bare.branches().get(pull.base, pull.base_sha)
    pull.updated_at = state.clock.now()
    github_pulls.changed(pull)
    repository.bare.set_ref(f"refs/pull/{pull.number}/head", new)
    if repository.bare.ancestor(new, pull.base_sha):
        # Nothing is left of it.
        github_pulls.close(state, pull, actor)
        return
    github_reviews.follow(pull, before)
    rule = repository.protections.get(pull.base)
    if rule and rule.dismiss_stale and was != repository.bare.diff(github_pulls.fork_point(pull), new):
        for review in github_reviews.opinions(pull):
            if review.state == "APPROVED":
                github_reviews.dismiss(state, review, actor, "stale")
    state.told(repository, "pull_request", "synchronize", actor, pull=pull, before=before, after=new)


def base_moved(state, pull, actor, new):
    github_pulls.changed(pull)
    if pull.repository.bare.ancestor(pull.head_sha, new):
        github_merge.settle(state, pull, actor, new)


def guarded(repository, actor):
    """For git_http.serve: what pushes to protected branches are told."""
    made = {}
    admin = at_least(level_of(actor, repository), "admin")
    for branch, rule in repository.protections.items():
        head = f"error: GH006: Protected branch update failed for {HEADS}{branch}."
        ways = {}
        free = admin and not rule.enforce_admins
        if not free:
            why = ([f"error: {reviews_wanted(rule)}"] if rule.required_reviews or rule.pull_request_required else [])
            if rule.required_checks:
                why.append(f"error: {github_checks.all_expected(rule.required_checks)}")
            if why:
                ways["update"] = [head, *why]
        if not rule.allow_force_pushes:
            ways["force"] = [head, "error: Cannot force-push to this branch"]
        elif "update" in ways:
            ways["force"] = ways["update"]
        if not rule.allow_deletions:
            ways["delete"] = [head, "error: Cannot delete this branch"]
        made[HEADS + branch] = {way: {"lines": lines, "reason": "protected branch hook declined"}
                                for way, lines in ways.items()}
    return {ref: ways for ref, ways in made.items() if ways}


def reviews_wanted(rule):
    some = rule.required_reviews
    if not some:
        return "Changes must be made through a pull request."
    reviews = "reviews are" if some > 1 else "review is"
    return f"At least {some} approving {reviews} required by reviewers with write access."

"""Whether a pull request can be merged, and merging it for real. Callers hold the repository's lock."""

import gitea_pushes
import gitea_reviews
import gitea_statuses
from bare import Person
from gitea_state import Refused, level_of, may_force, may_merge, may_push, not_found

STYLES = {"merge": "allow_merge_commits", "rebase": "allow_rebase", "rebase-merge": "allow_rebase_explicit",
          "squash": "allow_squash_merge", "fast-forward-only": "allow_fast_forward_only_merge"}


def person(state, user):
    return Person(user.name, user.email, state.clock.now())


def tip(pull):
    return pull.repository.bare.branches().get(pull.base)


def unchecked(pull):
    """It changed: whether it merges has to be worked out anew."""
    pull.status, pull.asked = "checking", 0


def ask(pull):
    """Somebody looks. Gitea works it out in the background; here `checking_reads` looks come before it is known (-1:
    it never is)."""
    if pull.state != "open" or pull.status != "checking":
        return
    wanted = pull.repository.checking_reads
    if wanted < 0 or pull.asked < wanted:
        pull.asked += 1
    else:
        settle_status(pull)


def settle_status(pull):
    target, bare = tip(pull), pull.repository.bare
    if target is None:
        pull.status = "conflict"
        return
    pull.merge_base = bare.merge_base(target, pull.head_sha) or ""
    pull.status = "conflict" if bare.merge_tree(target, pull.head_sha) is None else "mergeable"


def mergeable(pull):
    """Says nothing of approvals, checks, or of being behind."""
    return pull.status == "mergeable" and not pull.draft


def behind(pull):
    target = tip(pull)
    return target is not None and not pull.repository.bare.ancestor(target, pull.head_sha)


def not_ready(state, pull):
    """What the protection of the target lacks, in Gitea's order; None when it is content."""
    rule = pull.repository.protections.get(pull.base)
    if not rule:
        return None
    if rule.enable_status_check and gitea_statuses.required_state(
            state.version, rule, pull.repository, pull.head_sha) not in ("success", "skipped"):
        return "Not all required status checks successful"
    if gitea_reviews.approvals(pull, rule) < rule.required_approvals:
        return "Does not have enough approvals"
    if rule.block_on_rejected_reviews and gitea_reviews.rejected(pull):
        return "There are requested changes"
    if rule.block_on_outdated_branch and behind(pull):
        return "The head branch is behind the base branch"
    return None


def overrides(pull, user):
    """An administrator who forces it passes over the protection, unless that is forbidden."""
    rule = pull.repository.protections[pull.base]
    return level_of(user, pull.repository) in ("admin", "owner") and not rule.block_admin_merge_override


def refuse_unless_ready(state, pull, user, force):
    if pull.merged_at:
        raise Refused(405, "")
    if pull.state != "open":
        raise not_found()
    if not may_merge(user, pull.repository, pull.base):
        raise Refused(405, "User not allowed to merge PR")
    if pull.draft:
        raise Refused(405, "Work in progress PRs cannot be merged")
    ask(pull)
    if pull.status != "mergeable":
        raise Refused(405, "Please try again later")
    reason = not_ready(state, pull)
    if reason and not (force and overrides(pull, user)):
        modern = state.version.gitea(1, 24)
        raise Refused(405, reason if modern else f"not allowed to merge [reason: {reason}]")


def conflict(style, commit=None):
    """A refusal that is not in the form of others."""
    where = {"CommitSHA": commit} if commit else {}
    return Refused(409, body={"Style": style, **where, "StdOut": "CONFLICT (content): Merge conflict\n",
                              "StdErr": "", "Err": {}})


def rebased(pull, target, user_as, style):
    """The head's commits on top of the target; the head itself when it is there already."""
    bare = pull.repository.bare
    if bare.ancestor(target, pull.head_sha):
        return pull.head_sha
    commits = bare.between(target, pull.head_sha, merges=False)
    made = bare.replay(commits, target, user_as)
    if made is None:
        raise conflict(style, commits[0])
    return made


def merge(state, pull, user, style="merge", head=None, title=None, message=None, delete=None, force=False):
    """Merges for real and tells what follows."""
    repository, bare = pull.repository, pull.repository.bare
    refuse_unless_ready(state, pull, user, force)
    if style not in STYLES or not getattr(repository, STYLES[style]):
        raise Refused(405, f"{style} is not allowed an allowed merge style for this repository")
    if head and head != pull.head_sha:
        raise Refused(409, "head out of date")
    target, who = tip(pull), person(state, user)
    text = title or default_title(pull, style)
    text += f"\n\n{message}" if message else ""
    tree = bare.merge_tree(target, pull.head_sha)
    if tree is None:
        raise conflict(style)
    if style == "merge":
        made = bare.commit_tree(tree, [target, pull.head_sha], text + "\n", who)
    elif style == "squash":
        made = bare.commit_tree(tree, [target], text + "\n", person(state, pull.user), who)
    elif style == "fast-forward-only":
        if behind(pull):
            # Gitea's REST does not know this refusal, and takes it for a fault of its own.
            raise Refused(500, "")
        made = pull.head_sha
    else:
        made = rebased(pull, target, who, style)
        if style == "rebase-merge":
            made = bare.commit_tree(f"{made}^{{tree}}", [target, made], text + "\n", who)
    bare.set_ref(f"refs/heads/{pull.base}", made, target)
    settle(state, pull, user, made)
    gitea_pushes.after(state, repository, user)
    if delete is None:
        delete = repository.default_delete_branch_after_merge and state.version.gitea(1, 26)
    if delete and pull.head not in repository.protections and pull.head != repository.default_branch:
        if pull.head in bare.branches() and not any(one.head == pull.head and one.state == "open"
                                                    for one in repository.pulls.values()):
            bare.set_ref(f"refs/heads/{pull.head}", None)
            gitea_pushes.after(state, repository, user)
    return made


def default_title(pull, style):
    if style == "squash":
        return f"{pull.title} (#{pull.number})"
    return f"Merge pull request '{pull.title}' (#{pull.number}) from {pull.head} into {pull.base}"


def settle(state, pull, user, made):
    """It is merged."""
    now = state.clock.now()
    pull.state, pull.merged_at, pull.merged_by, pull.merge_commit = "closed", now, user, made
    pull.closed_at = pull.updated_at = now
    state.told(pull.repository, "pull_request", "closed", user, pull=pull)


def update(state, pull, user, rebase=False):
    """Brings the target into the head, by a merge or a rebase."""
    repository, bare, target = pull.repository, pull.repository.bare, tip(pull)
    if pull.state != "open":
        raise Refused(422, "")
    allowed = may_force if rebase else may_push
    if not allowed(user, repository, pull.head):
        raise Refused(403, None)
    if target is None or not behind(pull):
        # "is up to date" at Gitea too is a fault of its own, whose words only administrators see.
        raise Refused(500, "")
    who = person(state, user)
    if rebase:
        made = bare.replay(bare.between(target, pull.head_sha, merges=False), target, who)
    else:
        tree = bare.merge_tree(pull.head_sha, target)
        made = tree and bare.commit_tree(tree, [pull.head_sha, target],
                                         f"Merge branch '{pull.base}' into {pull.head}\n", who)
    if not made:
        raise Refused(409, f"{'rebase' if rebase else 'merge'} failed because of conflict")
    bare.set_ref(f"refs/heads/{pull.head}", made, pull.head_sha)
    gitea_pushes.after(state, repository, user)

"""Whether a pull request can be merged, and merging it for real. Callers hold the repository's lock."""

import github_checks
import github_pulls
import github_pushes
import github_reviews
from bare import Person
from github_state import Refused, at_least, level_of

METHODS = {"merge": ("allow_merge_commit", "Merge commits are not allowed on this repository."),
           "squash": ("allow_squash_merge", "Squash merges are not allowed on this repository."),
           "rebase": ("allow_rebase_merge", "Rebase merges are not allowed on this repository.")}


def forge_person(state):
    return Person("GitHub Enterprise", "noreply@localhost", state.clock.now())


def person(state, user):
    return Person(user.name or user.rest_login, user.email, state.clock.now())


def tip(pull):
    return pull.repository.bare.branches().get(pull.base)


def conflicts(pull):
    base = tip(pull)
    return base is None or pull.repository.bare.merge_tree(base, pull.head_sha) is None


def ask(pull):
    """A client looks: what it is told now. The first look after a change is answered with None and starts the work, as
    at GitHub; `unknown_reads` says how many such answers there are (-1: for ever)."""
    if pull.state != "open":
        return None
    if pull.mergeable is None:
        wanted = pull.repository.unknown_reads
        if wanted < 0 or pull.asked < wanted:
            pull.asked += 1
            return None
        pull.mergeable = not conflicts(pull)
    return pull.mergeable


def behind(pull):
    base = tip(pull)
    return base is not None and not pull.repository.bare.ancestor(base, pull.head_sha)


def blocked(pull):
    """Why protection keeps the pull request from being merged, in GitHub's words, all reasons in a row; or None."""
    rule = pull.repository.protections.get(pull.base)
    if not rule:
        return None
    why = []
    if rule.conversation_resolution and any(not thread.resolved_by for thread in pull.threads):
        why.append("All comments must be resolved.")
    decision = github_reviews.decision(pull)
    if decision == "CHANGES_REQUESTED":
        why.append("Changes have been requested.")
    if decision == "REVIEW_REQUIRED":
        why.append(github_pushes.reviews_wanted(rule))
    if rule.required_checks:
        why.append(github_checks.required_missing(pull.repository, pull.head_sha, rule.required_checks))
    return " ".join(filter(None, why)) or None


def out_of_date(pull):
    rule = pull.repository.protections.get(pull.base)
    return bool(rule and rule.strict and rule.required_checks) and behind(pull)


def merge_state(pull, mergeable):
    """REST's mergeable_state for what ask() gave."""
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    if blocked(pull):
        return "blocked"
    if out_of_date(pull):
        return "behind"
    if github_checks.rollup(pull.repository, pull.head_sha) not in (None, "SUCCESS"):
        return "unstable"
    return "has_hooks" if pull.repository.pre_receive_hooks else "clean"


def refuse_unless_ready(pull, actor, method, sha):
    repository = pull.repository
    setting, words = METHODS[method]
    if pull.state != "open":
        raise Refused(405, "Pull Request is not mergeable", told="Pull request is closed"
                      if not pull.merged_at else "Pull request is already merged")
    if pull.draft:
        raise Refused(405, "Pull Request is still a draft")
    if not getattr(repository, setting):
        raise Refused(405, words)
    if sha is not None and sha != pull.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    if conflicts(pull) or (repository.refuse_unknown and ask(pull) is None):
        raise Refused(405, "Pull Request is not mergeable")
    rule = repository.protections.get(pull.base)
    if rule and (rule.enforce_admins or not at_least(level_of(actor, repository), "admin")):
        why = blocked(pull)
        if not why and out_of_date(pull):
            # GitHub names the checks here, though they have passed.
            why = github_checks.all_expected(rule.required_checks)
        if why:
            raise Refused(405, why)


def messages(pull, method, commits):
    """GitHub's own title and text for a merge."""
    if method == "merge":
        return f"Merge pull request #{pull.number} from {pull.repository.owner.login}/{pull.head}", pull.title
    bare = pull.repository.bare
    told = [bare.commit(oid)["message"] for oid in commits]
    if len(told) == 1:
        title, _, text = told[0].partition("\n")
        return f"{title} (#{pull.number})", text.strip()
    return f"{pull.title} (#{pull.number})", "\n\n".join(f"* {text}" for text in told)


def merge(state, pull, actor, method="merge", sha=None, title=None, message=None):
    """Merges for real and tells what follows; the new tip of the base branch."""
    refuse_unless_ready(pull, actor, method, sha)
    repository, bare = pull.repository, pull.repository.bare
    base, commits = tip(pull), github_pulls.commits(pull)
    default_title, default_text = messages(pull, method, commits)
    text = default_text if message is None else message
    full = (title or default_title) + (f"\n\n{text}" if text else "") + "\n"
    author, forge = person(state, actor), forge_person(state)
    if method == "rebase":
        plain = bare.between(base, pull.head_sha, merges=False)
        made = bare.replay(plain, base, forge)
        if made is None:
            raise Refused(405, "This branch can't be rebased")
    else:
        if method == "squash":
            author = person(state, pull.user)
        tree = bare.merge_tree(base, pull.head_sha)
        made = bare.commit_tree(tree, [base] + ([pull.head_sha] if method == "merge" else []), full, author, forge)
    pull.base_sha = base
    bare.set_ref(f"refs/heads/{pull.base}", made, base)
    settle(state, pull, actor, made)
    github_pushes.after(state, repository, actor)
    if repository.delete_branch_on_merge and pull.head in bare.branches():
        bare.set_ref(f"refs/heads/{pull.head}", None)
        github_pushes.after(state, repository, actor)
    return made


def settle(state, pull, actor, made):
    """The pull request is merged, by the button or by a push that brought its head into the base."""
    pull.merge_sha, pull.merged_by = made, actor
    pull.merged_at = state.clock.now()
    github_pulls.close(state, pull, actor)


def update_branch(state, pull, actor, expected=None):
    """Merges the base into the head."""
    bare = pull.repository.bare
    if expected is not None and expected != pull.head_sha:
        raise Refused(422, "expected head sha didn’t match current head ref.")
    base = tip(pull)
    if pull.state != "open" or not behind(pull):
        raise Refused(422, "There are no new commits on the base branch.")
    tree = bare.merge_tree(pull.head_sha, base)
    if tree is None:
        raise Refused(422, "merge conflict between base and head")
    made = bare.commit_tree(tree, [pull.head_sha, base], f"Merge branch '{pull.base}' into {pull.head}\n",
                            person(state, actor), forge_person(state))
    bare.set_ref(f"refs/heads/{pull.head}", made, pull.head_sha)
    github_pushes.after(state, pull.repository, actor)

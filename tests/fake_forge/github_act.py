"""What people do on a fake GitHub without a client: a test says who and what. Each act is one method; the members of
the JSON object are its parameters, `login` is who does it, `repository` where."""

import inspect

import github_merge
import github_pulls
import github_pushes
import github_reviews
from control import Bad
from github_state import node_id


class Acts:
    def __init__(self, forge, repository):
        self.forge, self.state, self.find = forge, forge.state, repository

    def act(self, body):
        given = dict(body)
        name = given.pop("do")
        act = getattr(self, f"do_{name}", None)
        if act is None:
            raise Bad("one can " + ", ".join(name[3:] for name in dir(self) if name.startswith("do_")))
        actor, repository = self.state.user(given.pop("login")), self.find(given.pop("repository"))
        takes = inspect.signature(act).parameters
        strange = set(given) - set(takes)
        if strange:
            raise Bad(f"{name} takes {', '.join(list(takes)[2:])}, not {', '.join(sorted(strange))}")
        with repository.lock:
            return act(actor, repository, **given)

    @staticmethod
    def pull(repository, number):
        if number not in repository.pulls:
            raise Bad(f"there is no pull request {number}")
        return repository.pulls[number]

    def do_open(self, actor, repository, head, title, base=None, body=None, draft=False):
        pull = github_pulls.open_pull(self.state, repository, actor, title, head, base or repository.default_branch,
                                      body, draft)
        return {"number": pull.number, "node_id": node_id(pull)}

    def review(self, actor, repository, number, event, body, comments=()):
        review = github_reviews.add_review(self.state, self.pull(repository, number), actor, event, body,
                                           comments=comments)
        return {"id": review.number, "node_id": node_id(review)}

    def do_approve(self, actor, repository, number, body=""):
        return self.review(actor, repository, number, "APPROVE", body)

    def do_request_changes(self, actor, repository, number, body="Please change this.", comments=()):
        return self.review(actor, repository, number, "REQUEST_CHANGES", body, comments)

    def do_review_comment(self, actor, repository, number, body="", comments=()):
        return self.review(actor, repository, number, "COMMENT", body, comments)

    def do_dismiss(self, actor, repository, number, review, message="dismissed"):
        pull = self.pull(repository, number)
        found = next((one for one in pull.reviews if one.number == review), None)
        if not found:
            raise Bad(f"there is no review {review}")
        github_reviews.dismiss(self.state, found, actor, message)

    def do_open_thread(self, actor, repository, number, path, body, line=None, side="RIGHT"):
        thread = github_reviews.open_thread(self.state, self.pull(repository, number), actor, body, path, line, side,
                                            "LINE" if line else "FILE")
        return {"node_id": node_id(thread), "comment": thread.comments[0].number}

    def thread(self, wanted):
        found = self.state.nodes.get(wanted)
        if not found or found.prefix != "PRRT":
            raise Bad(f"there is no thread {wanted}")
        return found

    def do_reply(self, actor, repository, thread, body):
        return {"comment": github_reviews.reply(self.state, self.thread(thread), actor, body).number}

    def do_resolve(self, actor, repository, thread):
        github_reviews.resolve(self.state, self.thread(thread), actor)

    def do_unresolve(self, actor, repository, thread):
        github_reviews.resolve(self.state, self.thread(thread), actor, False)

    def do_comment(self, actor, repository, number, body):
        return {"id": github_reviews.comment_on(self.state, self.pull(repository, number), actor, body).number}

    def do_edit(self, actor, repository, number, title=None, body=None, base=None):
        github_pulls.edit(self.state, self.pull(repository, number), actor, title, body, base)

    def do_draft(self, actor, repository, number, draft=True):
        github_pulls.set_draft(self.state, self.pull(repository, number), actor, draft)

    def do_close(self, actor, repository, number):
        github_pulls.close(self.state, self.pull(repository, number), actor)

    def do_reopen(self, actor, repository, number):
        github_pulls.reopen(self.state, self.pull(repository, number), actor)

    def do_merge(self, actor, repository, number, method="merge"):
        return {"sha": github_merge.merge(self.state, self.pull(repository, number), actor, method)}

    def do_push(self, actor, repository, branch, files, message="A change", force=False, onto=None):
        """A commit with these files on a branch, made when missing (from `onto`, or the default branch). With `force`
        the branch starts anew from `onto`."""
        branches = repository.bare.branches()
        start = onto and (branches.get(onto) or onto)
        parent = (start or branches.get(repository.default_branch)) if force or branch not in branches else \
            branches[branch]
        made = repository.bare.write_files(f"refs/heads/{branch}", parent, files, message,
                                           github_merge.person(self.state, actor))
        github_pushes.after(self.state, repository, actor)
        return {"sha": made}

    def do_delete_branch(self, actor, repository, branch):
        repository.bare.set_ref(f"refs/heads/{branch}", None)
        github_pushes.after(self.state, repository, actor)

    def do_rename_branch(self, actor, repository, branch, to):
        """Pull requests go along; the old name redirects. The default branch stays the default."""
        oid = repository.bare.branches()[branch]
        repository.bare.set_ref(f"refs/heads/{to}", oid)
        if repository.default_branch == branch:
            repository.default_branch = to
            repository.bare.set_head(to)
        repository.bare.set_ref(f"refs/heads/{branch}", None)
        repository.renamed[branch] = to
        for pull in repository.pulls.values():
            pull.base = to if pull.base == branch else pull.base
            pull.head = to if pull.head == branch else pull.head
        if branch in repository.protections:
            repository.protections[to] = repository.protections.pop(branch)
        github_pushes.after(self.state, repository, actor)

    def do_default_branch(self, actor, repository, branch):
        if branch not in repository.bare.branches():
            raise Bad(f"there is no branch {branch}")
        repository.default_branch = branch
        repository.bare.set_head(branch)

    def do_pushed(self, actor, repository):
        """Somebody wrote into the bare repository past the forge: it looks now."""
        github_pushes.after(self.state, repository, actor)

"""What people do on a fake GitHub; see acting."""

import github_merge
import github_pulls
import github_pushes
import github_reviews
from acting import Acts
from control import Bad
from github_state import node_id


class GitHubActs(Acts):
    after = staticmethod(github_pushes.after)
    person = staticmethod(github_merge.person)

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

"""What people do on a fake Gitea; see acting."""

import gitea_merge
import gitea_pulls
import gitea_pushes
import gitea_reviews
from acting import Acts
from control import Bad


class GiteaActs(Acts):
    after = staticmethod(gitea_pushes.after)
    person = staticmethod(gitea_merge.person)

    @staticmethod
    def pull(repository, number):
        if number not in repository.pulls:
            raise Bad(f"there is no pull request {number}")
        return repository.pulls[number]

    def do_open(self, actor, repository, head, title, base=None, body=None, draft=False):
        made = gitea_pulls.open_pull(self.state, repository, actor, f"WIP: {title}" if draft else title, head,
                                     base or repository.default_branch, body)
        return {"number": made.number, "id": made.id}

    def review(self, actor, repository, number, event, body, comments=()):
        made = gitea_reviews.add_review(self.state, self.pull(repository, number), actor, event, body, comments)
        return {"id": made.id, "comments": [one.id for one in made.comments]}

    def do_approve(self, actor, repository, number, body=""):
        return self.review(actor, repository, number, "APPROVED", body)

    def do_request_changes(self, actor, repository, number, body="Please change this.", comments=()):
        return self.review(actor, repository, number, "REQUEST_CHANGES", body, comments)

    def do_review_comment(self, actor, repository, number, body="", comments=()):
        return self.review(actor, repository, number, "COMMENT", body, comments)

    def do_open_thread(self, actor, repository, number, body, path, line):
        """A review with this one comment; a line of the old file is negative."""
        place = {"new_position": line} if line > 0 else {"old_position": -line}
        made = self.review(actor, repository, number, "COMMENT", "", [{"path": path, "body": body, **place}])
        return {"thread": made["comments"][0], "review": made["id"]}

    def do_reply(self, actor, repository, thread, body):
        made = gitea_reviews.reply(self.state, gitea_reviews.comment_of(repository, thread), actor, body)
        return {"id": made.id}

    def do_resolve(self, actor, repository, thread):
        gitea_reviews.resolve(gitea_reviews.comment_of(repository, thread), actor)

    def do_unresolve(self, actor, repository, thread):
        gitea_reviews.resolve(gitea_reviews.comment_of(repository, thread), actor, False)

    def do_dismiss(self, actor, repository, number, review):
        found = next((one for one in self.pull(repository, number).reviews if one.id == review), None)
        if not found:
            raise Bad(f"there is no review {review}")
        gitea_reviews.dismiss(self.state, found, actor)

    def do_comment(self, actor, repository, number, body):
        return {"id": gitea_reviews.comment(self.state, self.pull(repository, number), actor, body).id}

    def do_edit(self, actor, repository, number, title=None, body=None, base=None):
        gitea_pulls.edit(self.state, self.pull(repository, number), actor, title, body, base)

    def do_draft(self, actor, repository, number, draft=True):
        gitea_pulls.set_draft(self.state, self.pull(repository, number), actor, draft)

    def do_close(self, actor, repository, number):
        gitea_pulls.set_state(self.state, self.pull(repository, number), actor, "closed")

    def do_reopen(self, actor, repository, number):
        gitea_pulls.set_state(self.state, self.pull(repository, number), actor, "open")

    def do_merge(self, actor, repository, number, method="merge", delete=False):
        """Without waiting until it is known whether it merges."""
        pull = self.pull(repository, number)
        gitea_merge.settle_status(pull)
        return {"sha": gitea_merge.merge(self.state, pull, actor, method, delete=delete)}

    def do_update(self, actor, repository, number, rebase=False):
        gitea_merge.update(self.state, self.pull(repository, number), actor, rebase)

"""What people do on a fake GitLab; see acting."""

import gitlab_merge
import gitlab_notes
import gitlab_pushes
import gitlab_requests
from acting import Acts
from control import Bad


class GitLabActs(Acts):
    after = staticmethod(gitlab_pushes.after)
    person = staticmethod(gitlab_merge.person)

    def request(self, project, number):
        if number not in project.requests:
            raise Bad(f"there is no merge request {number}")
        gitlab_merge.prepare(self.state, project.requests[number])
        return project.requests[number]

    def do_open(self, actor, project, head, title, base=None, body=None, draft=False):
        request = gitlab_requests.open_request(self.state, project, actor, f"Draft: {title}" if draft else title, head,
                                               base or project.default_branch, body)
        return {"number": request.iid, "id": request.id}

    def do_approve(self, actor, project, number):
        gitlab_requests.approve(self.state, self.request(project, number), actor)

    def do_unapprove(self, actor, project, number):
        gitlab_requests.unapprove(self.state, self.request(project, number), actor)

    def do_open_thread(self, actor, project, number, body, path=None, line=None, old_line=None):
        """On the merge request as a whole, on a file, or on a line; of one that did not change the old number too."""
        request, position = self.request(project, number), None
        if path:
            position = {"position_type": "text" if line or old_line else "file", "base_sha": request.base_sha,
                        "start_sha": request.start_sha, "head_sha": request.sha, "new_path": path, "old_path": path,
                        "new_line": line, "old_line": old_line}
        made = gitlab_notes.start(self.state, request, actor, body, position)
        return {"thread": made.id, "note": made.notes[0].id}

    def thread(self, project, wanted):
        for request in project.requests.values():
            for one in request.discussions:
                if one.id == wanted:
                    return one
        raise Bad(f"there is no discussion {wanted}")

    def do_reply(self, actor, project, thread, body):
        return {"note": gitlab_notes.reply(self.state, self.thread(project, thread), actor, body).id}

    def do_resolve(self, actor, project, thread):
        gitlab_notes.resolve(self.state, self.thread(project, thread), actor)

    def do_unresolve(self, actor, project, thread):
        gitlab_notes.resolve(self.state, self.thread(project, thread), actor, False)

    def do_comment(self, actor, project, number, body):
        made = gitlab_notes.start(self.state, self.request(project, number), actor, body, individual=True)
        return {"thread": made.id, "note": made.notes[0].id}

    def do_edit(self, actor, project, number, title=None, body=None, base=None, squash=None):
        gitlab_requests.edit(self.state, self.request(project, number), actor, title, body, base, squash)

    def do_draft(self, actor, project, number, draft=True):
        gitlab_requests.set_draft(self.state, self.request(project, number), actor, draft)

    def do_close(self, actor, project, number):
        gitlab_requests.close(self.state, self.request(project, number), actor)

    def do_reopen(self, actor, project, number):
        gitlab_requests.reopen(self.state, self.request(project, number), actor)

    def do_merge(self, actor, project, number, squash=None, remove=None):
        request = self.request(project, number)
        gitlab_merge.merge(self.state, request, actor, squash=squash, remove=remove)
        return {"sha": project.bare.branches()[request.target_branch]}

    def do_rebase(self, actor, project, number):
        gitlab_merge.rebase(self.state, self.request(project, number), actor)

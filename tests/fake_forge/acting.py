"""What people do on a fake forge without a client: a test says who and what. Each act is one method; the members of
the JSON object are its parameters, `login` is who does it, `repository` where. A forge derives from Acts."""

import inspect

from control import Bad


class Acts:
    """A forge has two functions of its own: `after` (what follows from references that moved), `person` (as a commit
    names a user)."""

    def __init__(self, forge, find):
        self.forge, self.state, self.find = forge, forge.state, find

    def act(self, body):
        given = dict(body)
        name = given.pop("do")
        act = getattr(self, f"do_{name}", None)
        if act is None:
            raise Bad("one can " + ", ".join(name[3:] for name in dir(self) if name.startswith("do_")))
        actor, place = self.state.user(given.pop("login")), self.find(given.pop("repository"))
        takes = inspect.signature(act).parameters
        strange = set(given) - set(takes)
        if strange:
            raise Bad(f"{name} takes {', '.join(list(takes)[2:])}, not {', '.join(sorted(strange))}")
        with place.lock:
            return act(actor, place, **given)

    def do_push(self, actor, place, branch, files, message="A change", force=False, onto=None):
        """A commit with these files on a branch, made when missing (from `onto`, or the default branch). With `force`
        the branch starts anew from `onto`."""
        branches = place.bare.branches()
        start = onto and (branches.get(onto) or onto)
        parent = (start or branches.get(place.default_branch)) if force or branch not in branches else branches[branch]
        made = place.bare.write_files(f"refs/heads/{branch}", parent, files, message, self.person(self.state, actor))
        self.after(self.state, place, actor)
        return {"sha": made}

    def do_delete_branch(self, actor, place, branch):
        place.bare.set_ref(f"refs/heads/{branch}", None)
        self.after(self.state, place, actor)

    def do_default_branch(self, actor, place, branch):
        if branch not in place.bare.branches():
            raise Bad(f"there is no branch {branch}")
        place.default_branch = branch
        place.bare.set_head(branch)

    def do_pushed(self, actor, place):
        """Somebody wrote into the bare repository past the forge: it looks now."""
        self.after(self.state, place, actor)

"""What the forges' own control commands have in common: they set the scene, each in the words of its forge."""

import os

import bare
from control import Bad

QUIRKS = ("twice", "bad_signature", "delay_ms", "active", "events")


def known(body, *names):
    strange = set(body) - set(names)
    if strange:
        raise Bad(f"unknown: {', '.join(sorted(strange))}; there are {', '.join(names)}")


def change(thing, body, kinds):
    """Sets those members of a thing that a command names; `kinds`: name → its type, or the values it may have."""
    for name, kind in kinds.items():
        if name not in body:
            continue
        if isinstance(kind, tuple):
            if body[name] not in kind:
                raise Bad(f"{name} is one of {', '.join(map(str, kind))}")
        elif not isinstance(body[name], kind):
            raise Bad(f"{name} is {kind.__name__}")
        setattr(thing, name, body[name])


class Driving:
    """A forge derives from it; `refused` is the class of its refusals."""

    refused = Exception

    def __init__(self, forge):
        self.forge, self.state = forge, forge.state

    def named(self):
        """path → command; every forge has these."""
        return {"/users": self.users, "/tokens": self.tokens, "/repositories": self.repositories,
                "/protection": self.protection, "/rename": self.rename, "/act": self.acts.act, "/checks": self.checks,
                "/webhooks": self.webhooks, "/redeliver": self.redeliver}

    def commands(self):
        return {path: self.plainly(command) for path, command in self.named().items()}

    def plainly(self, command):
        def run(body):
            try:
                with self.state.lock:
                    return command(body)
            except self.refused as refused:
                raise Bad(str(refused)) from None
        return run

    def place(self, full_name):
        found, _ = self.state.place(full_name)
        if not found:
            raise Bad(f"there is no {full_name}")
        return found

    def rename(self, body):
        """repository, to (a new name): the old one redirects."""
        known(body, "repository", "to")
        self.state.rename(self.place(body["repository"]), body["to"])

    def bare(self, body, folder):
        """(repository, default branch): served where it is, a copy of another one, or a new one in the folder."""
        path = body.get("path") or os.path.join(self.state.root, folder, f"{body['name']}.git")
        branch = body.get("default_branch")
        if "path" in body:
            made = bare.Bare(path)
            branch = branch or made.run("symbolic-ref", "--short", "HEAD").strip()
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            made = bare.Bare.create(path, branch or "main")
            if "copy_of" in body:
                made.run("fetch", "-q", os.path.abspath(body["copy_of"]), "+refs/heads/*:refs/heads/*",
                         "+refs/tags/*:refs/tags/*")
                branch = branch or bare.Bare(body["copy_of"]).run("symbolic-ref", "--short", "HEAD").strip()
        branch = branch or "main"
        made.set_head(branch)
        return made, branch

    def rules(self, body, protections, kind, kinds):
        """branch, and the rules of its protection; `off` takes them away."""
        known(body, "repository", "branch", "off", *kinds)
        if body.get("off"):
            protections.pop(body["branch"], None)
            return
        change(protections.setdefault(body["branch"], kind()), body, kinds)

    def hook(self, body, create):
        """A new hook, or the one of `id`, with what a test asked for: url, secret, events, or quirks of delivery."""
        if "id" in body:
            hooks = [hook for place in self.state.places.values() for hook in place.hooks]
            hook = next((hook for hook in hooks if hook.number == body["id"]), None)
            if not hook:
                raise Bad(f"there is no hook {body['id']}")
        else:
            hook = create()
        for name in QUIRKS:
            if name in body:
                setattr(hook, name, body[name])
        return {"id": hook.number}

    def redeliver(self, body):
        known(body, "id")
        return self.forge.events.again(body["id"]).shown()

"""A bare git repository as a forge works on it: no work tree, plumbing only."""

import functools
import os
import re
import subprocess

ZERO, HEADS = "0" * 40, "refs/heads/"
# What a forge's git must not take from the machine it runs on.
CLEAN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}


class GitFailed(Exception):
    pass


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**clean, **CLEAN, **more}


def config_environment(settings):
    """Settings for one run of git, those that a repository's own file cannot be trusted with among them."""
    made = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        made[f"GIT_CONFIG_KEY_{number}"] = name
        made[f"GIT_CONFIG_VALUE_{number}"] = value
    return made


def data(text):
    """As git fast-import reads it."""
    return f"data {len(text.encode())}\n{text}\n".encode()


class Person:
    """Who is written into a commit, and when."""

    def __init__(self, name, email, at):
        self.name, self.email, self.at = name, email, at

    def environment(self, role):
        return {f"GIT_{role}_NAME": self.name, f"GIT_{role}_EMAIL": self.email, f"GIT_{role}_DATE": f"{self.at} +0000"}


def moved(place):
    """(reference, before, now) of the branches that changed since the last look at a place's repository."""
    now = place.bare.refs(HEADS)
    was, place.known = place.known, now
    return [(ref, was.get(ref, ZERO), now.get(ref, ZERO)) for ref in sorted({*was, *now})
            if was.get(ref) != now.get(ref)]


def of_objects(function):
    """What follows from objects alone never changes: it is asked of git once."""
    @functools.wraps(function)
    def asked(self, *arguments, **more):
        key = (function.__name__, arguments, tuple(sorted(more.items())))
        if key not in self.answers:
            self.answers[key] = function(self, *arguments, **more)
        return self.answers[key]
    return asked


class Bare:
    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.answers = {}

    @classmethod
    def create(cls, path, branch):
        subprocess.run(["git", "init", "-q", "--bare", "--template=", f"--initial-branch={branch}", path], check=True,
                       env=environment())
        return cls(path)

    def run(self, *arguments, input=None, env=None, fails=False):
        """What git prints; with `fails`, the exit code and what it prints."""
        safe = config_environment([("safe.directory", "*")])
        done = subprocess.run(["git", "-C", self.path, *arguments], input=input, env=environment(**safe, **(env or {})),
                              capture_output=True)
        out = done.stdout.decode("utf-8", "replace")
        if fails:
            return done.returncode, out
        if done.returncode:
            raise GitFailed(f"git {' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace')}")
        return out

    def refs(self, prefix="refs/"):
        lines = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {name: oid for oid, name in (line.split(" ", 1) for line in lines)}

    def branches(self):
        return {name[len("refs/heads/"):]: oid for name, oid in self.refs("refs/heads/").items()}

    def resolve(self, name):
        """The commit of a branch, tag, reference or object name, or None."""
        if not name or name.startswith("-") or ".." in name or "@{" in name:
            return None
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name if name.startswith("refs/") else None,
                          f"refs/{name}" if name.startswith(("heads/", "tags/", "pull/")) else None,
                          name if re.fullmatch("[0-9a-f]{7,40}", name) else None):
            if candidate:
                code, out = self.run("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}", fails=True)
                if code == 0:
                    return out.strip()
        return None

    def set_ref(self, ref, oid, old=None):
        if oid is None or oid == ZERO:
            self.run("update-ref", "-d", ref)
        else:
            self.run("update-ref", ref, oid, *([old] if old is not None else []))

    def set_head(self, branch):
        self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    @of_objects
    def ancestor(self, older, newer):
        return self.run("merge-base", "--is-ancestor", older, newer, fails=True)[0] == 0

    @of_objects
    def merge_base(self, one, other):
        code, out = self.run("merge-base", one, other, fails=True)
        return out.strip() if code == 0 else None

    @of_objects
    def between(self, base, head, merges=True):
        """Commits of head that base has not, oldest first."""
        return self.run("rev-list", "--reverse", "--topo-order", *([] if merges else ["--no-merges"]), f"{base}..{head}"
                        ).split()

    @of_objects
    def commit(self, oid):
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
        parts = self.run("log", "-1", f"--format={form}", oid).split("\0")
        names = ("oid", "tree", "parents", "author", "author_email", "authored_at", "committer", "committer_email",
                 "committed_at", "message")
        made = dict(zip(names, parts))
        made["parents"] = made["parents"].split()
        made["authored_at"], made["committed_at"] = int(made["authored_at"]), int(made["committed_at"])
        made["message"] = made["message"].rstrip("\n")
        return made

    @of_objects
    def merge_tree(self, ours, theirs):
        """The tree of a merge, or None where it conflicts."""
        code, out = self.run("merge-tree", "--write-tree", "--no-messages", ours, theirs, fails=True)
        return out.split("\n", 1)[0].strip() if code == 0 else None

    def commit_tree(self, tree, parents, message, author, committer=None):
        env = {**author.environment("AUTHOR"), **(committer or author).environment("COMMITTER")}
        arguments = [word for parent in parents for word in ("-p", parent)]
        return self.run("commit-tree", tree, *arguments, input=message.encode(), env=env).strip()

    def replay(self, commits, onto, committer):
        """Each commit picked onto another, or None at the first conflict. Picking is merging with the parent as base,
        and git 2.39 only takes a base that is in the history: so the target is dressed up as the parent's child."""
        tip = onto
        for oid in commits:
            commit = self.commit(oid)
            if not commit["parents"]:
                return None
            dressed = self.commit_tree(f"{tip}^{{tree}}", commit["parents"][:1], "x", committer)
            tree = self.merge_tree(dressed, oid)
            if tree is None:
                return None
            author = Person(commit["author"], commit["author_email"], commit["authored_at"])
            tip = self.commit_tree(tree, [tip], commit["message"] + "\n", author, committer)
        return tip

    def write_files(self, ref, parent, files, message, author):
        """Puts a reference on a new commit on top of parent (or a first one) with these files' text; None deletes a
        file."""
        stream = [f"commit {ref}\nmark :1\n".encode()]
        stream += [f"{role} {author.name} <{author.email}> {author.at} +0000\n".encode()
                   for role in ("author", "committer")]
        stream += [data(message + "\n"), f"from {parent}\n".encode() if parent else b""]
        for path, text in files.items():
            stream.append(f"D {path}\n".encode() if text is None else f"M 100644 inline {path}\n".encode() + data(text))
        if not parent:
            self.set_ref(ref, None)
        stream.append(b"get-mark :1\n")
        return self.run("fast-import", "--quiet", "--force", input=b"".join(stream)).strip()

    def text_of(self, oid, path):
        code, out = self.run("cat-file", "-p", f"{oid}:{path}", fails=True)
        return out if code == 0 else None

    @of_objects
    def diff(self, base, head, path=None, form=()):
        return self.run("diff", "--no-color", "--no-ext-diff", *form, base, head, *(["--", path] if path else []))

    @of_objects
    def counts(self, base, head):
        """(files, additions, deletions) of a diff."""
        lines = [line.split("\t") for line in self.diff(base, head, form=("--numstat",)).splitlines()]
        number = lambda text: int(text) if text.isdigit() else 0
        return len(lines), sum(number(line[0]) for line in lines), sum(number(line[1]) for line in lines)

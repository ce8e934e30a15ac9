"""Gitea's REST interface as a whole: routes, what a request must bring, paging and the form of errors. The routes
themselves are in gitea_rest_*.py."""

import json
import urllib.parse

import gitea_access
import gitea_merge
from gitea_state import LEVELS, Refused, not_found
from routing import Routes
from web import Reply

MOST_PER_PAGE, PER_PAGE = 50, 30


class Route:
    def __init__(self, method, function, options):
        self.method, self.function = method, function
        self.fields = options.get("fields", {})
        self.required = options.get("required", ())
        self.values = options.get("values", {})
        # What a token must be for; None where none is asked.
        self.category = options.get("category", "repository")
        self.anonymous = options.get("anonymous", method == "GET")
        # The least level in the repository, and what one with less is told.
        self.level = options.get("level", "read")
        self.lacking = options.get("lacking", "user should have a permission to write to a repo")
        # Whether a repository that is archived refuses it.
        self.changes = options.get("changes", method != "GET")


ROUTES = Routes(Route)
route = ROUTES.route
REPOSITORY = "/repos/{owner}/{repo}"
PULLS = f"{REPOSITORY}/pulls"
ONE = f"{PULLS}/{{index}}"


class Call:
    """One request on its way through a route."""

    def __init__(self, site, request, route, parameters):
        self.site, self.state, self.forms, self.request = site, site.state, site.forms, request
        self.route, self.query, self.headers = route, request.query, []
        self.parameters = {name: urllib.parse.unquote(value) for name, value in parameters.items()}
        self.viewer, self.repository, self.body = None, None, {}

    @property
    def actor(self):
        return self.viewer.user

    def number(self, name):
        """What is no number is 0, which nothing has."""
        text = self.parameters[name]
        return int(text) if text.isdigit() else 0

    def pull(self, asked=False):
        found = self.repository.pulls.get(self.number("index"))
        if not found:
            raise not_found()
        if asked:
            gitea_merge.ask(found)
        return found

    def page(self, things):
        """The page that was asked for; headers lead to the others."""
        def natural(name, default):
            text = self.query.get(name, "")
            return int(text) if text.isdigit() and int(text) > 0 else default
        most = self.site.page_cap or MOST_PER_PAGE
        size, number, last = min(natural("limit", PER_PAGE), most), natural("page", 1), 1
        last, links = max(1, -(-len(things) // size)), []

        def link(relation, target):
            query = urllib.parse.urlencode(sorted({**self.query, "page": target}.items()))
            links.append(f'<{self.request.origin}{self.request.raw_path}?{query}>; rel="{relation}"')
        if number < last:
            link("next", number + 1)
            link("last", last)
        if number > 1:
            link("first", 1)
            link("prev", number - 1)
        self.headers.append(("X-Total-Count", str(len(things))))
        if links:
            self.headers.append(("Link", ",".join(links)))
        return things[(number - 1) * size:number * size]


def wrong(message):
    return Refused(422, message)


WORDS = {str: "string", int: "int64", bool: "bool", list: "[]", dict: "struct"}


def checked_body(route, request):
    """The members of a request, every one known, of its type and with a value that it may have."""
    if not route.fields:
        return {}
    if request.headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise wrong("Empty Content-Type")
    try:
        body = json.loads(request.body or b"null")
    except ValueError:
        raise wrong("[]: DeserializationError: invalid character") from None
    if not isinstance(body, dict):
        raise wrong("[]: DeserializationError: EOF")
    for name, value in body.items():
        if name not in route.fields:
            # Stricter than Gitea, which passes over them.
            raise wrong(f"[{name}]: the fake Gitea does not know it")
        kind = route.fields[name]
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise wrong(f"json: cannot unmarshal into Go struct field .{name} of type {WORDS[kind]}")
    for name in route.required:
        if not body.get(name):
            raise wrong(f"[{name[0].upper()}{name[1:]}]: Required")
    for name, values in route.values.items():
        if body.get(name) is not None and body[name] not in values:
            # Stricter too: Gitea takes an event that it does not know for PENDING.
            raise wrong(f"[{name}]: {body[name]} is none of {', '.join(values)}")
    return {name: value for name, value in body.items() if value is not None}


class Rest:
    """The REST half of the site."""

    def answer_rest(self, request):
        method = "GET" if request.method == "HEAD" else request.method
        path = request.raw_path[len("/api/v1"):]
        found, parameters = ROUTES.find(method, path)
        call = Call(self, request, found, parameters)
        try:
            call.viewer = gitea_access.viewer_of(self.state, request.headers)
            request.login = call.viewer.user.login if call.viewer.user else None
            if not found:
                raise self.unrouted(path)
            if found.category:
                how = "read" if method == "GET" else "write"
                gitea_access.need_scope(self.state, call.viewer, how, found.category)
            reply = self.done(call)
        except Refused as refused:
            reply = self.error(refused)
        reply.headers += [("Cache-Control", "max-age=0, private, must-revalidate, no-transform"),
                          ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "SAMEORIGIN"), *call.headers]
        return reply

    @staticmethod
    def unrouted(path):
        """A path that only other methods have says which."""
        methods = ROUTES.methods(path)
        return Refused(405, None, headers=[("Allow", ", ".join(methods))]) if methods else not_found()

    def error(self, refused):
        """`message` and where the interface is described; for a few an empty body, or one of its own."""
        if refused.body is not None:
            return Reply.of_json(refused.status, refused.body, refused.headers)
        if refused.message is None and refused.status != 404:
            return Reply(refused.status, b"", [("Content-Type", "text/plain; charset=utf-8"), *refused.headers])
        modern = self.state.version.gitea(1, 26)
        missing = "not found" if modern else "The target couldn't be found."
        body = {"message": missing if refused.message is None else refused.message, "url": f"{self.origin}/api/swagger"}
        if refused.status == 404 and not modern:
            body["errors"] = None
        return Reply.of_json(refused.status, body, refused.headers)

    def done(self, call):
        """The answer of the route, with the repository found, seen and locked."""
        route, parameters = call.route, call.parameters
        if "repo" not in parameters:
            self.need_token(call)
            call.body = checked_body(route, call.request)
            return self.said(route.function(call))
        found, moved = self.state.find(parameters["owner"], parameters["repo"])
        if moved:
            return self.elsewhere(call, found)
        if found is None or call.viewer.level(found) == "none":
            raise not_found()
        call.repository = found
        self.need_token(call)
        with found.lock:
            if LEVELS.index(call.viewer.level(found)) < LEVELS.index(route.level):
                raise Refused(403, route.lacking)
            if route.changes and found.archived:
                modern = self.state.version.gitea(1, 26)
                name = f"<Repository {found.id}:{found.full_name}>"
                raise Refused(423, "repo is archived" if modern else f"{name} is archived")
            if "/pulls" in call.request.raw_path and not found.has_pull_requests:
                raise not_found()
            call.body = checked_body(route, call.request)
            return self.said(route.function(call))

    @staticmethod
    def need_token(call):
        if not call.viewer.user and not call.route.anonymous:
            raise Refused(401, "token is required")

    @staticmethod
    def elsewhere(call, repository):
        """Every method is sent to the new name, before it is looked whether one may see it."""
        old = f"/repos/{call.parameters['owner']}/{call.parameters['repo']}"
        path = urllib.parse.unquote(call.request.raw_path).replace(old, f"/repos/{repository.full_name}", 1)
        query = f"?{call.request.query_string}" if call.request.query_string else ""
        return Reply(307, b"", [("Location", urllib.parse.quote(path) + query)])

    @staticmethod
    def said(result):
        if isinstance(result, Reply):
            return result
        status, value = result if isinstance(result, tuple) else (200, result)
        return Reply(status) if value is None else Reply.of_json(status, value)

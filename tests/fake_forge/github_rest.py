"""GitHub's REST interface as a whole: routes, what a request must bring, paging, conditional requests, the rate limit
and the form of errors. The routes themselves are in github_rest_*.py."""

import hashlib
import json
import re
import urllib.parse
import uuid

import github_access
from github_state import Refused, at_least
from routing import Routes
from web import Reply

VERSION = "2022-11-28"
RELEASE = "3.17.0"
DOCS = "https://docs.github.com/enterprise-server@3.17/rest"
MOST_PER_PAGE, PER_PAGE = 100, 30
ACCEPTED = re.compile(r"(\*/\*|application/\*|application/json|application/vnd\.github(\.[\w-]+)*(\+json)?)$")
DIFFS = {"application/vnd.github.diff": "diff", "application/vnd.github.v3.diff": "diff",
         "application/vnd.github.patch": "patch", "application/vnd.github.v3.patch": "patch"}


class Route:
    def __init__(self, method, function, options):
        self.method, self.function = method, function
        self.fields = options.get("fields")
        self.required = options.get("required", ())
        self.resource = options.get("resource", "")
        # What a fine-grained token or an app needs, what the person needs, and what is said to one who has less.
        self.needs = options.get("needs")
        self.level = options.get("level", "read")
        self.lacking = options.get("lacking", (404, "Not Found"))
        self.anonymous = options.get("anonymous", False)
        self.by_app = options.get("by_app", False)
        self.docs = DOCS + options.get("docs", "")


ROUTES = Routes(Route)
route = ROUTES.route


class Call:
    """One request on its way through a route."""

    def __init__(self, site, request, route, parameters):
        self.site, self.state, self.forms, self.request = site, site.state, site.forms, request
        self.route, self.parameters, self.query = route, parameters, request.query
        self.viewer, self.repository, self.app, self.body = None, None, None, {}
        self.headers = []

    @property
    def actor(self):
        return self.viewer.user

    def number(self, name):
        text = self.parameters[name]
        if not text.isdigit():
            raise Refused(404, "Not Found")
        return int(text)

    def pull(self):
        found = self.repository.pulls.get(self.number("number"))
        if not found:
            raise Refused(404, "Not Found")
        return found

    def by_number(self, things):
        wanted = self.number("id")
        found = next((thing for thing in things if thing.number == wanted), None)
        if not found:
            raise Refused(404, "Not Found")
        return found

    def choice(self, name, values, default):
        value = self.query.get(name, default)
        if value not in values:
            raise Refused(422, "Validation Failed", [{"resource": self.route.resource, "field": name,
                                                      "code": "invalid"}])
        return value

    def page(self, things):
        """The page that was asked for; the Link header leads to the others."""
        def natural(name, default):
            text = self.query.get(name, "")
            return int(text) if text.isdigit() and int(text) > 0 else default
        size = min(natural("per_page", PER_PAGE), MOST_PER_PAGE, self.site.page_cap or MOST_PER_PAGE)
        number, last = natural("page", 1), max(1, -(-len(things) // size))
        path = self.request.raw_path
        if self.repository:
            rest = path.split("/", 6)[6:]
            path = f"/api/v3/repositories/{self.repository.id}" + (f"/{rest[0]}" if rest else "")
            if "/repositories/" in self.request.raw_path:
                path = self.request.raw_path
        links = []
        for relation, target in (("prev", number - 1), ("next", number + 1), ("last", last), ("first", 1)):
            forward = relation in ("next", "last")
            if (forward and number < last) or (not forward and 1 < number):
                target = min(target, last) if relation == "prev" else target
                query = urllib.parse.urlencode({**self.query, "page": target})
                links.append(f'<{self.request.origin}{path}?{query}>; rel="{relation}"')
        if links:
            self.headers.append(("Link", ", ".join(links)))
        return things[(number - 1) * size:number * size]


def error(refused, docs=DOCS, headers=()):
    body = {"message": refused.message, **({"errors": refused.errors} if refused.errors else {}),
            "documentation_url": docs, "status": str(refused.status)}
    return Reply.of_json(refused.status, body, headers)


def wrong_type(name, value, wanted):
    shown = "nil" if value is None else json.dumps(value)
    return Refused(422, f"Invalid request.\n\nFor 'properties/{name}', {shown} is not {wanted}.")


WORDS = {str: "a string", int: "an integer", bool: "a boolean", list: "an array", dict: "an object"}


def checked_body(route, request):
    """The JSON object of a request, every member known and of its type."""
    if route.fields is None:
        return {}
    if not request.body:
        body = {}
    else:
        kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json" and not re.match(r"application/vnd\.github[\w.-]*\+json$", kind):
            raise Refused(415, f"Unsupported Content-Type: '{kind}'. Must be 'application/json'.")
        try:
            body = json.loads(request.body)
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "Body should be a JSON object")
    for name, value in body.items():
        if name not in route.fields:
            raise Refused(422, f'Invalid request.\n\n"{name}" is not a permitted key.')
        wanted = route.fields[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise wrong_type(name, value, WORDS[wanted])
    missing = [name for name in route.required if body.get(name) is None]
    if missing:
        quoted = ", ".join(f'"{name}"' for name in missing)
        raise Refused(422, f"Invalid request.\n\n{quoted} {'wasn' if len(missing) == 1 else 'weren'}'t supplied.",
                      [{"resource": route.resource, "field": name, "code": "missing_field"} for name in missing])
    return body


def checked_headers(request):
    version = request.headers.get("X-GitHub-Api-Version")
    if version not in (None, VERSION):
        raise Refused(400, f"Invalid API version: \"{version}\" is not one of the supported versions {VERSION}.")
    kinds = [part.split(";")[0].strip().lower() for part in (request.headers.get("Accept") or "*/*").split(",")]
    if not any(ACCEPTED.match(kind) for kind in kinds):
        raise Refused(415, f"Unsupported 'Accept' header: '{', '.join(kinds)}'. Must accept 'application/json'.")


class Rest:
    """The REST half of the site."""

    def answer_rest(self, request):
        path = request.path[len("/api/v3"):] or "/"
        headers = [("X-GitHub-Request-Id", request_id()), ("X-GitHub-Enterprise-Version", RELEASE)]
        if not request.headers.get("User-Agent", "").strip():
            body = ("Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
                    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check "
                    "https://developer.github.com for other possible causes.\n")
            return Reply(403, body.encode(), [("Content-Type", "text/html; charset=utf-8"), *headers])
        headers += [("X-GitHub-Media-Type", "github.v3; format=json"), ("X-GitHub-Api-Version-Selected", VERSION)]
        # HEAD is GET without the body, which the server leaves out.
        found, parameters = ROUTES.find("GET" if request.method == "HEAD" else request.method, path)
        call = Call(self, request, found, parameters)
        docs = found.docs if found else DOCS
        try:
            checked_headers(request)
            self.identify(call)
            headers += self.viewer_headers(call)
            key = call.viewer.token.text if call.viewer.token else None
            counted = not path.startswith("/rate_limit")
            if counted and not self.limits.spend(key, "core"):
                return error(self.exceeded(call.viewer), f"{DOCS}/overview/rate-limits-for-the-rest-api",
                             headers + self.limits.headers(key, "core"))
            try:
                if not found:
                    raise Refused(404, "Not Found")
                reply = self.done(call)
            except Refused as refused:
                reply = error(refused, docs)
        except Refused as refused:
            return error(refused, docs, headers)
        reply = self.conditional(request, reply)
        if reply.status == 304 and counted:
            self.limits.spend(key, "core", -1)
        reply.headers += headers + call.headers + self.limits.headers(key, "core")
        return reply

    def identify(self, call):
        if call.route and call.route.by_app:
            call.app = github_access.app_of(self.state, call.request.headers)
            call.viewer = github_access.Viewer()
            call.request.login = call.app.slug
            return
        call.viewer = github_access.viewer_of(self.state, call.request.headers)
        call.request.login = call.viewer.user.rest_login if call.viewer.user else None
        reading = call.request.method in ("GET", "HEAD")
        if not call.viewer.user and call.route and (not reading or call.route.needs is False):
            raise Refused(401, "Requires authentication")

    @staticmethod
    def viewer_headers(call):
        headers = [("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")]
        token = call.viewer.token
        if token and token.kind == "classic":
            accepted = "repo" if call.route and call.route.needs else ""
            headers += [("X-OAuth-Scopes", ", ".join(token.scopes)), ("X-Accepted-OAuth-Scopes", accepted)]
        elif token and call.route and call.route.needs:
            headers.append(("X-Accepted-GitHub-Permissions", "=".join(call.route.needs)))
        return headers

    def exceeded(self, viewer):
        who = f"user ID {viewer.user.number}" if viewer.user else "127.0.0.1"
        return Refused(403, f"API rate limit exceeded for {who}.")

    def done(self, call):
        """The answer of the route, with the repository found, seen and locked."""
        parameters, route = call.parameters, call.route
        by_id = "repository_id" in parameters
        if not by_id and "owner" not in parameters:
            call.body = checked_body(route, call.request)
            return self.said(call, route.function(call))
        moved = False
        if by_id:
            found = self.state.by_id(call.number("repository_id"))
        else:
            found, moved = self.state.find(parameters["owner"], parameters["repo"])
        call.repository = github_access.seen(call.viewer, found)
        if moved:
            return self.elsewhere(call, f"/repositories/{found.id}" + call.request.raw_path.split(
                f"/{parameters['repo']}", 1)[1])
        if route.needs:
            github_access.need(call.viewer, found, *route.needs)
        if not at_least(call.viewer.level(found), route.level):
            raise Refused(*route.lacking, kind="FORBIDDEN")
        with found.lock:
            call.body = checked_body(route, call.request)
            return self.said(call, route.function(call))

    def elsewhere(self, call, path):
        query = f"?{call.request.query_string}" if call.request.query_string else ""
        url = f"{self.origin}/api/v3{path}{query}"
        get = call.request.method == "GET"
        body = {"message": "Moved Permanently" if get else "Temporary Redirect", "url": url,
                "documentation_url": f"{DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects"}
        return Reply.of_json(301 if get else 307, body, [("Location", url)])

    @staticmethod
    def said(call, result):
        if isinstance(result, Reply):
            return result
        status, value = result if isinstance(result, tuple) else (200, result)
        if value is None:
            return Reply(status)
        location = [("Location", value["url"])] if status == 201 and "url" in value else []
        return Reply.of_json(status, value, location)

    @staticmethod
    def conditional(request, reply):
        """GitHub marks every 200 of a GET; a client that still has it is told so, and is not charged."""
        if request.method != "GET" or reply.status != 200:
            return reply
        tag = f'"{hashlib.sha256(reply.body + request.query_string.encode()).hexdigest()}"'
        headers = [("Cache-Control", "private, max-age=60, s-maxage=60"), ("ETag", f"W/{tag}")]
        known = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
        if tag in known:
            return Reply(304, b"", headers)
        reply.headers += headers
        return reply


def request_id():
    text = uuid.uuid4().hex.upper()
    return f"{text[:4]}:{text[4:10]}:{text[10:17]}:{text[17:24]}:{text[24:]}"

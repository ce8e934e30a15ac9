"""GitHub's GraphQL interface: the request, its cost, its limits, and errors as GitHub tells them (in an answer of 200).
What fields answer is in github_queries and github_mutations; the schema in github_schema.graphql."""

import contextlib
import json
import os
import re

import github_access
import github_mutations
import github_queries
import graphql_cost
import graphql_library
from github_rest import DOCS, RELEASE, error, request_id
from github_state import Refused
from web import Reply

UNKNOWN_FIELD = re.compile(r"Cannot query field ['\"](\w+)['\"] on type ['\"](\w+)['\"]")
UNAUTHENTICATED = "This endpoint requires you to be authenticated."


class Context:
    """One query on its way: who asks, and what was already looked at."""

    def __init__(self, site, viewer, cost):
        self.site, self.state, self.forms, self.viewer, self.cost = site, site.state, site.forms, viewer, cost
        self.asked = {}

    @property
    def actor(self):
        return self.viewer.user


class Schema:
    """Loaded at the first query: most tests ask none."""

    def __init__(self):
        self.loaded = None

    def get(self):
        if self.loaded is None:
            path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "github_schema.graphql")
            with open(path, encoding="utf-8") as file:
                self.loaded = graphql_library.load(file.read(), resolve, github_queries.type_name)
        return self.loaded


def resolve(type_name, field, root, info, arguments):
    context = info.context
    if type_name == "Mutation":
        return github_mutations.MUTATIONS[field](context, arguments["input"])
    return github_queries.resolve(type_name, field, root, context, arguments)


class GraphQL:
    """The GraphQL half of the site."""

    schema = Schema()

    def answer_graphql(self, request):
        headers = [("X-GitHub-Request-Id", request_id()), ("X-GitHub-Media-Type", "github.v4; format=json"),
                   ("X-GitHub-Enterprise-Version", RELEASE)]
        docs = DOCS.replace("/rest", "/graphql")
        try:
            if not request.headers.get("User-Agent", "").strip():
                raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a "
                                   "User-Agent header")
            viewer = github_access.viewer_of(self.state, request.headers)
            if not viewer.user:
                raise Refused(401, UNAUTHENTICATED)
            request.login = viewer.user.rest_login
            if viewer.token.kind == "classic":
                headers.append(("X-OAuth-Scopes", ", ".join(viewer.token.scopes)))
                headers.append(("X-Accepted-OAuth-Scopes", "repo"))
            if request.method != "POST":
                raise Refused(404, "Not Found")
            body = self.parsed(request)
        except Refused as refused:
            return error(refused, f"{docs}/guides/forming-calls-with-graphql#authentication", headers)
        data, errors = self.executed(viewer, body)
        answer = {"data": data} if data is not None or not errors else {}
        if errors:
            answer["errors"] = errors
        return Reply.of_json(200, answer, headers + self.limits.headers(viewer.token.text, "graphql"))

    @staticmethod
    def parsed(request):
        kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind not in ("application/json", "application/graphql+json"):
            raise Refused(415, f"Unsupported Content-Type: '{kind}'. Must be 'application/json'.")
        try:
            body = json.loads(request.body)
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "Body should be a JSON object")
        return body

    def executed(self, viewer, body):
        """(data, errors)"""
        query, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(query, str) or not query.strip():
            return None, [{"message": "A query attribute must be specified and must be a string."}]
        if not isinstance(variables, dict):
            return None, [{"message": "Variables must be an object."}]
        schema = self.schema.get()
        try:
            document = graphql_library.parse(query)
        except graphql_library.GraphQLError as failed:
            return None, [{"message": f"Parse error: {str(failed).splitlines()[0]}",
                           "locations": graphql_library.place(failed)}]
        wrong = graphql_library.validate(schema, document)
        if wrong:
            return None, [told_invalid(one) for one in wrong]
        cost, excess = graphql_cost.of(schema, document, variables, body.get("operationName"))
        if excess:
            return None, excess
        if not self.limits.spend(viewer.token.text, "graphql", cost["cost"]):
            refused = self.exceeded(viewer)
            return None, [{"type": "RATE_LIMITED", "code": "graphql_rate_limit", "message": refused.message}]
        with contextlib.ExitStack() as locks:
            locks.enter_context(self.state.lock)
            for repository in sorted(self.state.places.values(), key=lambda found: found.id):
                locks.enter_context(repository.lock)
            context = Context(self, viewer, cost)
            data, errors = graphql_library.run(schema, document, context, variables, body.get("operationName"))
        return data, [self.told(one) for one in errors]

    def told(self, failed):
        cause = graphql_library.cause(failed)
        made = {}
        if isinstance(cause, Refused):
            made["type"] = cause.kind
        elif not isinstance(cause, graphql_library.GraphQLError):
            self.failures.append(repr(cause))
        if getattr(failed, "path", None):
            made["path"] = failed.path
        made["locations"] = graphql_library.place(failed)
        made["message"] = cause.told if isinstance(cause, Refused) else str(failed.message)
        return made


def told_invalid(failed):
    """What the library finds wrong, in the words of GitHub where clients look for them."""
    unknown = UNKNOWN_FIELD.search(failed.message)
    if not unknown:
        return {"message": failed.message, "locations": graphql_library.place(failed)}
    field, type_name = unknown.groups()
    return {"message": f"Field '{field}' doesn't exist on type '{type_name}'",
            "locations": graphql_library.place(failed), "path": ["query", field],
            "extensions": {"code": "undefinedField", "typeName": type_name, "fieldName": field}}

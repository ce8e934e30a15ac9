"""GitLab's GraphQL interface: the request, its complexity, its depth, and errors as GitLab tells them (in an answer of
200). What fields answer is in gitlab_queries; the schema in gitlab_schema.graphql."""

import contextlib
import json
import os
import re

import gitlab_access
import gitlab_queries
import graphql_library
from gitlab_rest import request_id
from gitlab_state import Refused
from web import Reply

# Of a query, with a token and without.
MOST_COMPLEXITY, MOST_COMPLEXITY_ANONYMOUS, MOST_DEPTH, MOST_DEPTH_ANONYMOUS = 250, 200, 20, 15
MOST_PAGE, MOST_QUERY = 100, 10_000
UNKNOWN_FIELD = re.compile(r"Cannot query field ['\"](\w+)['\"] on type ['\"](\w+)['\"]")
# What asks git costs one more; what searches costs more with every thing that a page may have.
GITALY = {("MergeRequest", name) for name in (
    "diffHeadSha", "detailedMergeStatus", "mergeableDiscussionsState", "mergeable", "shouldBeRebased",
    "sourceBranchExists", "divergedFromTargetBranch", "rebaseInProgress")}
BY_PAGE = {("Project", "mergeRequests"), ("Pipeline", "jobs"), ("MergeRequest", "discussions")}
DEARER = {("MergeRequest", "mergedAt"): 5}


class Context:
    """One query on its way: who asks, and what it costs."""

    def __init__(self, site, viewer, score, limit):
        self.site, self.state, self.forms, self.viewer = site, site.state, site.forms, viewer
        self.score, self.limit, self.asked = score, limit, set()


class Schema:
    """Loaded at the first query: most tests ask none."""

    def __init__(self):
        self.loaded = None

    def get(self):
        if self.loaded is None:
            path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gitlab_schema.graphql")
            with open(path, encoding="utf-8") as file:
                self.loaded = graphql_library.load(file.read(), resolve, None)
        return self.loaded


def resolve(type_name, field, root, info, arguments):
    return gitlab_queries.resolve(type_name, field, root, info.context, arguments)


class Walk:
    """A query's complexity and depth: one for a field and what is in it, more for connections by their page."""

    def __init__(self, document, variables):
        self.fragments = {one.name.value: one for one in document.definitions
                          if type(one).__name__.startswith("FragmentDefinition")}
        self.variables, self.depth = variables, 0

    def value(self, node):
        if type(node).__name__.startswith("Variable"):
            return self.variables.get(node.name.value)
        return getattr(node, "value", None)

    def cost(self, schema, parent, chosen, depth):
        total = 0
        self.depth = max(self.depth, depth if chosen else 0)
        for one in chosen.selections if chosen else []:
            kind = type(one).__name__
            if kind.startswith("FragmentSpread"):
                total += self.cost(schema, parent, self.fragments[one.name.value].selection_set, depth)
            elif kind.startswith("InlineFragment"):
                total += self.cost(schema, parent, one.selection_set, depth)
            else:
                total += self.field(schema, parent, one, depth)
        return total

    def field(self, schema, parent, node, depth):
        name = node.name.value
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None:
            return 0
        result = definition.type
        while hasattr(result, "of_type"):
            result = result.of_type
        place = (parent.name, name)
        cost = self.cost(schema, result, node.selection_set, depth + 1) + DEARER.get(place, 1) + (place in GITALY)
        if place in BY_PAGE:
            given = {one.name.value: self.value(one.value) for one in node.arguments or []}
            sizes = [int(given[key]) for key in ("first", "last") if str(given.get(key) or "").isdigit()]
            if "iids" not in given and "iid" not in given:
                cost += int(cost * min([*sizes, MOST_PAGE]) * 0.01)
        return cost


class GraphQL:
    """The GraphQL half of the site."""

    schema = Schema()

    def answer_graphql(self, request):
        headers, key = [("X-Request-Id", request_id()), ("Cache-Control", "max-age=0, private, must-revalidate")], None
        try:
            viewer = gitlab_access.viewer_of(self.state, request.headers)
            if not viewer.allowed(*gitlab_access.READ):
                raise Refused(401, "Invalid token")
            request.login = viewer.user.username if viewer.user else None
            key = viewer.token.text if viewer.token else None
            if not self.limits.spend(key):
                return self.throttled(key, headers)
            if request.method != "POST":
                return Reply(404, b"", headers)
            body = self.parsed(request)
        except Refused as refused:
            words = "Invalid token" if refused.status == 401 else refused.message
            return Reply.of_json(refused.status, {"errors": [{"message": words}]}, headers)
        data, errors = self.executed(viewer, body)
        answer = {"data": data} if data is not None or not errors else {}
        if errors:
            answer["errors"] = errors
        return Reply.of_json(200, answer, headers + self.limits.headers(key))

    @staticmethod
    def parsed(request):
        kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, f"Unsupported Content-Type: '{kind}'")
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
            return None, [{"message": "Unexpected end of document", "locations": []}]
        if not isinstance(variables, dict):
            return None, [{"message": "Variables must be an object"}]
        if len(query) > MOST_QUERY:
            return None, [{"message": "Query too large"}]
        schema = self.schema.get()
        try:
            document = graphql_library.parse(query)
        except graphql_library.GraphQLError as failed:
            return None, [{"message": str(failed).splitlines()[0], "locations": graphql_library.place(failed)}]
        wrong = graphql_library.validate(schema, document)
        if wrong:
            return None, [told_invalid(one) for one in wrong]
        name = body.get("operationName")
        operations = [one for one in document.definitions if type(one).__name__.startswith("OperationDefinition")]
        chosen = next((one for one in operations if name is None or (one.name and one.name.value == name)), None)
        if chosen is None:
            return None, [{"message": f'No operation named "{name}"'}]
        walk = Walk(document, variables)
        score = walk.cost(schema, graphql_library.root_of(schema, chosen), chosen.selection_set, 1)
        limit, depth = (MOST_COMPLEXITY, MOST_DEPTH) if viewer.user else (MOST_COMPLEXITY_ANONYMOUS,
                                                                          MOST_DEPTH_ANONYMOUS)
        if walk.depth > depth:
            return None, [{"message": f"Query has depth of {walk.depth}, which exceeds max depth of {depth}"}]
        if score > limit:
            return None, [{"message": f"Query has complexity of {score}, which exceeds max complexity of {limit}"}]
        with contextlib.ExitStack() as locks:
            locks.enter_context(self.state.lock)
            for project in sorted(self.state.places.values(), key=lambda found: found.id):
                locks.enter_context(project.lock)
            data, errors = graphql_library.run(schema, document, Context(self, viewer, score, limit), variables, name)
        return data, [self.told(one) for one in errors]

    def told(self, failed):
        cause = graphql_library.cause(failed)
        if not isinstance(cause, (Refused, graphql_library.GraphQLError)):
            self.failures.append(repr(cause))
        return {"message": cause.message if isinstance(cause, Refused) else str(failed.message),
                "locations": graphql_library.place(failed),
                **({"path": failed.path} if getattr(failed, "path", None) else {})}


def told_invalid(failed):
    unknown = UNKNOWN_FIELD.search(failed.message)
    if not unknown:
        return {"message": failed.message, "locations": graphql_library.place(failed)}
    field, type_name = unknown.groups()
    return {"message": f"Field '{field}' doesn't exist on type '{type_name}'",
            "locations": graphql_library.place(failed), "path": ["query", field],
            "extensions": {"code": "undefinedField", "typeName": type_name, "fieldName": field}}

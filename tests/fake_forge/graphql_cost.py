"""What a GraphQL query costs at GitHub, and which it does not run: connections without a bound, with too large a page,
or too many nodes in all. The formula: each connection is asked once for each node of those around it; a hundred such
requests cost one point, and one point is the least."""

import graphql_library

MOST_PAGE = 100
MOST_NODES = 500_000


def of(schema, document, variables, operation_name):
    """({"cost", "nodeCount"}, errors)"""
    definitions = document.definitions
    fragments = {one.name.value: one for one in definitions if type(one).__name__.startswith("FragmentDefinition")}
    operations = [one for one in definitions if type(one).__name__.startswith("OperationDefinition")]
    chosen = next((one for one in operations if operation_name is None
                   or (one.name and one.name.value == operation_name)), operations[0])
    defaults = {one.variable.name.value: getattr(one.default_value, "value", None)
                for one in chosen.variable_definitions or [] if one.default_value is not None}
    walk = Walk(fragments, {**defaults, **variables})
    root = graphql_library.root_of(schema, chosen)
    walk.selections(schema, root, chosen.selection_set, 1)
    if not walk.errors and walk.nodes > MOST_NODES:
        walk.errors.append({"type": "MAX_NODE_LIMIT_EXCEEDED", "message":
                            f"This query requests up to {walk.nodes:,} possible nodes which exceeds the maximum limit "
                            f"of {MOST_NODES:,}."})
    return {"cost": max(1, round(walk.requests / 100)), "nodeCount": walk.nodes}, walk.errors


class Walk:
    def __init__(self, fragments, variables):
        self.fragments, self.variables = fragments, variables
        self.requests, self.nodes, self.errors = 0, 0, []

    def value(self, node):
        if type(node).__name__.startswith("Variable"):
            found = self.variables.get(node.name.value)
        else:
            found = getattr(node, "value", None)
        return int(found) if found is not None and str(found).lstrip("-").isdigit() else None

    def selections(self, schema, parent, chosen, times):
        for one in chosen.selections if chosen else []:
            kind = type(one).__name__
            if kind.startswith("FragmentSpread"):
                fragment = self.fragments[one.name.value]
                self.selections(schema, named(schema, fragment.type_condition, parent), fragment.selection_set, times)
            elif kind.startswith("InlineFragment"):
                self.selections(schema, named(schema, one.type_condition, parent), one.selection_set, times)
            else:
                self.field(schema, parent, one, times)

    def field(self, schema, parent, node, times):
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:
            return
        result = definition.type
        while hasattr(result, "of_type"):
            result = result.of_type
        if result.name.endswith("Connection"):
            size = self.bound(node)
            asked = {one.name.value for one in (node.selection_set.selections if node.selection_set else [])
                     if hasattr(one, "name") and one.name}
            if size is None:
                if asked & {"nodes", "edges"} and "first" in definition.args:
                    self.errors.append({"type": "MISSING_PAGINATION_BOUNDARIES", "path": [node.name.value], "message":
                                        f"You must provide a `first` or `last` value to properly paginate the "
                                        f"`{node.name.value}` connection."})
                return
            self.requests += times
            self.nodes += times * size
            times *= size
        self.selections(schema, result, node.selection_set, times)

    def bound(self, node):
        for argument in node.arguments or []:
            if argument.name.value in ("first", "last"):
                size = self.value(argument.value)
                if size is None:
                    continue
                if size > MOST_PAGE or size < 0:
                    self.errors.append({"type": "EXCESSIVE_PAGINATION", "path": [node.name.value], "message":
                                        f"Requesting {size} records on the `{node.name.value}` connection exceeds the "
                                        f"`{argument.name.value}` limit of {MOST_PAGE} records."})
                return size
        return None


def named(schema, condition, parent):
    return schema.get_type(condition.name.value) if condition else parent

"""GraphQL by the library that there is: Debian 12's python3-graphql-core (2.3), or 3.2 as Debian 13 and PyPI have it.
The two differ in names only; the rest of the fake sees this face."""

import logging

import graphql
from graphql import GraphQLError, parse, validate

OLD = not hasattr(graphql, "build_schema") or graphql.__version__.startswith("2.")
if OLD:
    # Each failed field is logged with its trace; here they are answers.
    logging.getLogger("graphql.execution.utils").setLevel(logging.CRITICAL)
    from graphql import build_ast_schema
else:
    from graphql import build_schema


def plain_literal(node, *_):
    """The value of a scalar that is written in the document."""
    return getattr(node, "value", None)


def load(text, resolver, type_name):
    """A schema whose fields ask resolver(type, field, root, info, arguments), and whose abstract types ask
    type_name(value)."""
    schema = build_ast_schema(parse(text.replace(" & ", ", "))) if OLD else build_schema(text)
    types = schema.get_type_map() if OLD else schema.type_map
    for name, kind in types.items():
        if name.startswith("__"):
            continue
        family = type(kind).__name__
        if family == "GraphQLObjectType":
            for field_name, field in kind.fields.items():
                setattr(field, "resolver" if OLD else "resolve", bound(resolver, name, field_name))
        elif family in ("GraphQLInterfaceType", "GraphQLUnionType"):
            kind.resolve_type = lambda value, *_: type_name(value)
        elif OLD and family == "GraphQLScalarType" and name not in ("String", "Int", "Float", "Boolean", "ID"):
            kind.serialize = kind.parse_value = lambda value: value
            kind.parse_literal = plain_literal
    return schema


def bound(resolver, type_name, field_name):
    return lambda root, info, **arguments: resolver(type_name, field_name, root, info, arguments)


def run(schema, document, context, variables, operation):
    """(data, errors) of a valid document. Of wrong variables 2.3 tells by raising, 3.2 by answering."""
    try:
        done = graphql.execute(schema, document, None, context, variables, operation)
    except GraphQLError as wrong:
        return None, [wrong]
    return done.data, done.errors or []


def root_of(schema, operation):
    """The type that a query or a mutation starts at."""
    if OLD:
        return getattr(schema, f"get_{operation.operation}_type")()
    return getattr(schema, f"{operation.operation.value}_type")


def place(error):
    """Where in the document, as errors tell it."""
    return [{"line": found.line, "column": found.column} for found in error.locations or []]


def cause(error):
    """What a resolver raised."""
    found = getattr(error, "original_error", None)
    return cause(found) if isinstance(found, GraphQLError) and found is not error else found or error


__all__ = ["GraphQLError", "cause", "load", "parse", "place", "root_of", "run", "validate"]

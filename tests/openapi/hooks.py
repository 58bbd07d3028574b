"""What schemathesis has to know of vectordoc: its encodings, a database to ask about, and that a
refusal is no failure of the server."""

import json

import cbor2
import schemathesis


@schemathesis.serializer("application/cbor")
def write_cbor(ctx, value):
    return cbor2.dumps(value)


@schemathesis.serializer("application/x-ndjson")
def write_lines(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/cbor")
def read_cbor(ctx, response):
    return cbor2.loads(response.content)


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    # Most requests are about the database that is there; the others learn that there is none.
    name = (path_parameters or {}).get("db")
    if isinstance(name, str) and len(name) % 4:
        path_parameters["db"] = "products"
    return path_parameters


@schemathesis.hook
def filter_case(ctx, case):
    # Whoever drops the database leaves the others nothing to ask about.
    is_drop = case.method.upper() == "DELETE" and case.path == "/v1/dbs/{db}"
    return not (is_drop and case.path_parameters.get("db") == "products")


@schemathesis.check
def no_failure(ctx, response, case):
    """A refusal with 501 or 507 is an answer; 500 is a failure, and says so by its code."""
    if response.status_code >= 500:
        body = response.json()
        assert response.status_code != 500, f"the server failed: {body}"
        assert body["code"] in ("unsupported", "full", "unavailable"), body

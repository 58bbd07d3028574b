"""Uses a vectordoc server with a WebSocket library and a JSON-RPC library, and nothing else."""

import json
import os
import sys

from jsonrpcclient import Ok, parse, request
from websockets.sync.client import connect

SCHEMA = {
    "id": "string",
    "embedding": {"vector": 3, "metric": "cosine"},
    "price": {"type": "number", "filter": True},
    "title": "string",
}

DOCUMENTS = [
    {"id": "apple", "embedding": [1.0, 0.1, 0.0], "price": 2.5, "title": "An apple"},
    {"id": "pear", "embedding": [0.9, 0.3, 0.0], "price": 3.5, "title": "A pear"},
    {"id": "car", "embedding": [0.0, 0.1, 1.0], "price": 9000.0, "title": "A car"},
]


class Refused(Exception):
    """The server's error, with its code in words."""

    def __init__(self, error):
        super().__init__(error.message)
        self.code = error.data["code"]


def call(socket, method, **params):
    """Asks for `method` and waits for its result."""
    asked = request(method, params=params)
    socket.send(json.dumps(asked))
    while True:
        message = json.loads(socket.recv())
        # What has no id is a notification, such as `hello`.
        if message.get("id") == asked["id"]:
            break
    answer = parse(message)
    if isinstance(answer, Ok):
        return answer.result
    raise Refused(answer)


def main(url):
    key = os.environ.get("VECTORDOC_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with connect(
        url, subprotocols=["vectordoc.v1.json"], additional_headers=headers, max_size=None
    ) as socket:
        call(socket, "db.create", db="fruit", schema=SCHEMA)
        indexed = call(socket, "doc.index", db="fruit", docs=DOCUMENTS)["indexed"]
        print(f"indexed {indexed} documents")

        cheap = {"price": {"$lt": 100}}
        found = call(socket, "search", db="fruit", vector=[1, 0, 0], limit=2, filter=cheap)
        for hit in found["hits"]:
            print(f"{hit['score']:.3f} {hit['doc']['title']}")

        call(socket, "doc.patch", db="fruit", id="pear", set={"price": 150.0})
        print("cheap now:", call(socket, "doc.count", db="fruit", filter=cheap)["count"])
        try:
            call(socket, "search", db="fruit", vector=[1, 0])
        except Refused as refused:
            print(f"{refused.code}: {refused}")
        call(socket, "db.drop", db="fruit")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:7700/v1/ws")

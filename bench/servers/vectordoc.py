"""vectordoc as a peer of the servers' harness: one class for its three protocols. What changes data
goes by HTTP in JSON, what is measured by the protocol of VECTORDOC_PROTO (ws, http or grpc)."""
from common import *
import cbor2
import urllib.error
import urllib.request

PROTOCOL = os.environ.get("VECTORDOC_PROTO", "ws")
PORT = 57001
ADDRESS = f"127.0.0.1:{PORT}"
SCHEMA = {
    "id": "number",
    "emb": {"vector": D, "metric": "cosine"},
    "category": {"type": "string", "filter": True},
    "year": {"type": "number", "filter": True},
    "price": {"type": "number", "filter": True},
    "title": "string",
}
METHODS = {"search": "search", "upsert": "doc.index", "delete": "doc.delete"}
PATHS = {"search": "search", "upsert": "docs", "delete": "delete"}
RPCS = {"search": "Search", "upsert": "Index", "delete": "Delete"}


def typed_array(vector):
    """A vector as RFC 8746 writes 32-bit floats of little-endian machines."""
    return cbor2.CBORTag(85, np.asarray(vector, "<f4").tobytes())


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def chunk(field, content):
    """A field of protobuf that has a length."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def number(field, value):
    """A field of protobuf that is an integer."""
    return varint(field << 3) + varint(value)


def vector_value(vector):
    return chunk(10, chunk(1, np.asarray(vector, "<f4").tobytes()))


def value(content):
    """A `Value` of the protocol."""
    if isinstance(content, str):
        return chunk(6, content.encode())
    if isinstance(content, int):
        return number(3, content)
    return varint(5 << 3 | 1) + struct.pack("<d", content)


def document(fields):
    """A `Document` of the protocol: entries of a map from names to values."""
    entries = (chunk(1, name.encode()) + chunk(2, content) for name, content in fields)
    return b"".join(chunk(1, entry) for entry in entries)


def condition(flt):
    if flt is None:
        return None
    name, operator, bound = flt
    return {name: {"$lt": bound} if operator == "<" else bound}


class P(NetPeer):
    name = f"vectordoc_{PROTOCOL}"
    version = "this checkout"
    durability = "fsync per ack (shared by those who wait)"
    ingest_conns = 2
    headers = ["sec-websocket-protocol: vectordoc.v1.cbor"] if PROTOCOL == "ws" else []

    def __init__(self, tag=""):
        super().__init__(tag)
        # Whichever protocol is asked for, the database is the same.
        self.dir = f"{RUN}/vectordoc"

    def endpoint(self, kind):
        path = {"ws": "/v1/ws", "http": "/", "grpc": f"/vectordoc.v1.VectorDoc/{RPCS[kind]}"}
        return PROTOCOL, ADDRESS, path[PROTOCOL]

    def start(self, wait=True):
        os.makedirs(self.dir, exist_ok=True)
        command = [os.environ["VECTORDOC_BIN"], "serve", "--data", f"{self.dir}/db", "--listen", ADDRESS]
        self.spawn(command)
        until = time.time() + 120
        while wait and self.status("/readyz") != 200:
            if time.time() > until:
                raise RuntimeError("not ready after two minutes")
            time.sleep(0.01)

    def status(self, path):
        try:
            return urllib.request.urlopen(f"http://{ADDRESS}{path}", timeout=2).status
        except OSError:
            return 0

    def ask(self, verb, path, body=None):
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{ADDRESS}/v1/dbs/items{path}", content, method=verb)
        request.add_header("content-type", "application/json")
        try:
            return json.load(urllib.request.urlopen(request, timeout=120))
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from error

    def create(self, n, kill_test=False):
        self.ask("PUT", "", {"schema": SCHEMA})

    def after_load(self, n):
        until = time.time() + 220
        while (unindexed := self.ask("GET", "")["unindexed"]) and time.time() < until:
            time.sleep(0.05)
        return {"unindexed": unindexed}

    def upsert_req(self, ids, dat):
        if PROTOCOL == "grpc":
            docs = (
                document([("id", value(i)), ("emb", vector_value(dat.base[i]))]
                         + [(k, value(v)) for k, v in dat.doc(i).items()])
                for i in ids
            )
            return chunk(1, b"items") + b"".join(chunk(2, doc) for doc in docs)
        docs = [{"id": int(i), "emb": typed_array(dat.base[i]), **dat.doc(i)} for i in ids]
        return self.request("upsert", {"docs": docs})

    def search_req(self, v, k, flt, ef):
        filter = condition(flt)
        if PROTOCOL == "grpc":
            out = chunk(1, b"items") + chunk(2, np.asarray(v, "<f4").tobytes())
            out += number(11, k) + number(13, ef)
            if filter:
                out += chunk(16, json.dumps(filter).encode())
            return out + chunk(17, b"")
        params = {"vector": typed_array(v), "limit": k, "ef": ef, "include": []}
        return self.request("search", params | ({"filter": filter} if filter else {}))

    def delete_req(self, ids):
        if PROTOCOL == "grpc":
            return chunk(1, b"items") + b"".join(chunk(2, number(2, i)) for i in ids)
        return self.request("delete", {"ids": ids})

    def request(self, kind, params):
        if PROTOCOL == "http":
            content = "application/cbor"
            headers = [f"Accept: {content}"]
            request = http_req(ADDRESS, "POST", f"/v1/dbs/items/{PATHS[kind]}", cbor2.dumps(params), headers)
            return request.replace(b"application/json", content.encode(), 1)
        params = {"db": "items", **params}
        return cbor2.dumps({"jsonrpc": "2.0", "id": 1, "method": METHODS[kind], "params": params})

    def parse(self, body):
        if PROTOCOL == "grpc":
            return [ids_of(hit) for hit in fields(body, 1)]
        answer = cbor2.loads(body)
        return [hit["id"] for hit in answer.get("result", answer)["hits"]]

    def count(self):
        return self.ask("POST", "/count", {})["count"]

    def have(self, ids):
        there = set()
        for start in range(0, len(ids), 1000):
            some = [int(i) for i in ids[start:start + 1000]]
            docs = self.ask("POST", "/get", {"ids": some, "include": []})["docs"]
            there |= {doc["id"] for doc in docs if doc}
        return there


def read_varint(body, at):
    number = shift = 0
    while True:
        byte = body[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def fields(body, wanted):
    """What the fields `wanted` of a message of protobuf hold."""
    at, found = 0, []
    while at < len(body):
        key, at = read_varint(body, at)
        if key & 7 == 0:
            content, at = read_varint(body, at)
        else:
            length, at = (4, at) if key & 7 == 5 else (8, at) if key & 7 == 1 else read_varint(body, at)
            content, at = body[at:at + length], at + length
        if key >> 3 == wanted:
            found.append(content)
    return found


def ids_of(hit):
    return fields(fields(hit, 1)[0], 2)[0]

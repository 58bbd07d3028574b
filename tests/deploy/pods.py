"""What a Kubernetes makes of manifests, as far as one machine shows it: they are validated by the
schemas of Kubernetes, and the pods of a StatefulSet run by podman, all at once, with the image,
arguments, variables, secrets, user, groups, capabilities and read-only root that they say, under the
names that a headless service gives them; ready is who answers the readiness probe. There is no
scheduler, and a service leads to its first pod."""

import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import kubernetes_validate
import yaml

VERSION = "1.37"
NETWORK = "pods"
PATIENCE_S = 120
STATE = Path(os.environ.get("HOME", "/tmp")) / ".pods"


def validated(text: str) -> list[dict]:
    """The resources in `text`, each as its schema wants it."""
    resources = [resource for resource in yaml.safe_load_all(text) if resource]
    for resource in resources:
        kubernetes_validate.validate(resource, VERSION, strict=True)
    return resources


def _name(resource: dict) -> str:
    return f"{resource['kind'].lower()}/{resource['metadata']['name']}"


def _keep(resource: dict) -> None:
    file = STATE / _name(resource).replace("/", ".")
    STATE.mkdir(exist_ok=True)
    file.write_text(json.dumps(resource))


def _kept(name: str) -> dict:
    return json.loads((STATE / name.replace("/", ".")).read_text())


def create(text: str) -> str:
    """Takes a secret."""
    (secret,) = validated(text)
    _keep(secret)
    return f"{_name(secret)} created"


def apply(text: str) -> list[str]:
    """Takes resources, and starts the pods of a StatefulSet among them."""
    resources = validated(text)
    for resource in resources:
        _keep(resource)
    for resource in resources:
        if resource["kind"] == "StatefulSet":
            _podman("network", "create", NETWORK)
            for ordinal in range(resource["spec"]["replicas"]):
                start(resource, ordinal)
    return [f"{_name(resource)} created" for resource in resources]


def start(stateful_set: dict, ordinal: int) -> None:
    """Starts one pod, with the volume of the one before it if there was one."""
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    spec, container = _specs(stateful_set)
    assert spec["enableServiceLinks"] is False, "links would be variables that are no settings"
    user = spec["securityContext"]
    may = container["securityContext"]
    arguments = ["--detach", "--name", name, "--hostname", name, "--network", NETWORK]
    arguments += ["--network-alias", f"{name}.{stateful_set['spec']['serviceName']}"]
    arguments += ["--user", f"{user['runAsUser']}:{user['runAsGroup']}"]
    arguments += ["--group-add", str(user["fsGroup"])]
    arguments += ["--read-only", "--read-only-tmpfs=false"] * may["readOnlyRootFilesystem"]
    arguments += [f"--cap-drop={drop}" for drop in may["capabilities"]["drop"]]
    if not may["allowPrivilegeEscalation"]:
        arguments += ["--security-opt", "no-new-privileges"]
    for key, value in variables(container, name).items():
        arguments += ["--env", f"{key}={value}"]
    for mount in container["volumeMounts"]:
        source = _volume(stateful_set, spec, mount["name"], name)
        arguments += ["--volume", f"{source}:{mount['mountPath']}" + ":ro" * mount.get("readOnly", False)]
    _podman("run", *arguments, container["image"], *container["args"])


def variables(container: dict, pod: str) -> dict[str, str]:
    """The environment of a container, references to earlier ones replaced."""
    known: dict[str, str] = {}
    for variable in container["env"]:
        path = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        value = {"metadata.name": pod}[path] if path else variable["value"]
        known[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], value)
    return known


def _specs(stateful_set: dict) -> tuple[dict, dict]:
    spec = stateful_set["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def _volume(stateful_set: dict, spec: dict, volume: str, pod: str) -> str:
    """What is mounted: a volume of the pod's own, or a folder with what a secret has."""
    claims = [claim["metadata"]["name"] for claim in stateful_set["spec"]["volumeClaimTemplates"]]
    if volume in claims:
        return f"{volume}-{pod}"
    (source,) = [v["secret"] for v in spec["volumes"] if v["name"] == volume]
    folder = STATE / f"{pod}.{volume}"
    folder.mkdir()
    for key, value in _kept(f"secret/{source['secretName']}")["data"].items():
        file = folder / key
        file.write_bytes(base64.b64decode(value))
        os.chown(file, 0, spec["securityContext"]["fsGroup"])
        file.chmod(source["defaultMode"])
    return str(folder)


def wait(name: str) -> None:
    """Waits until every pod of the StatefulSet answers its probes."""
    stateful_set = _kept(name)
    _, container = _specs(stateful_set)
    for ordinal in range(stateful_set["spec"]["replicas"]):
        pod = f"{stateful_set['metadata']['name']}-{ordinal}"
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            _until_ready(container, pod, container[probe]["httpGet"])


def _until_ready(container: dict, pod: str, probe: dict) -> None:
    (port,) = [p["containerPort"] for p in container["ports"] if p["name"] == probe["port"]]
    url = f"{probe['scheme'].lower()}://{address(pod)}:{port}{probe['path']}"
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            # As a kubelet does, which looks at no certificate.
            unverified = ssl._create_unverified_context()
            return urllib.request.urlopen(url, timeout=5, context=unverified).close()
        except OSError as error:
            if time.monotonic() > end:
                log = subprocess.run(["podman", "logs", pod], capture_output=True, text=True)
                raise SystemExit(f"{url}: {error}\n{log.stdout}{log.stderr}")
            time.sleep(0.1)


def address(pod: str) -> str:
    """Where a pod is."""
    networks = json.loads(_podman("inspect", pod))[0]["NetworkSettings"]["Networks"]
    return networks[NETWORK]["IPAddress"]


def forward(name: str, ports: str) -> None:
    """Forwards a port of this machine to one of a service, until it is ended."""
    here, there = (int(port) for port in ports.split(":"))
    service = _kept(name)
    (port,) = [p for p in service["spec"]["ports"] if p["port"] == there]
    stateful_set = _kept(f"statefulset/{service['metadata']['name']}")
    _, container = _specs(stateful_set)
    labels = stateful_set["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items(), "the service leads to no pod"
    (target,) = [p["containerPort"] for p in container["ports"] if p["name"] == port["targetPort"]]
    asyncio.run(_forward(here, address(f"{stateful_set['metadata']['name']}-0"), target))


async def _forward(here: int, host: str, port: int) -> None:
    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
        sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, port)
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer), return_exceptions=True)

    server = await asyncio.start_server(accept, "127.0.0.1", here)
    print(f"Forwarding from 127.0.0.1:{here} -> {port}", flush=True)
    await server.serve_forever()


def _podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"podman {' '.join(arguments)}: {done.stderr}")
    return done.stdout

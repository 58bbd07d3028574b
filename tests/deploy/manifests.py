"""Judges the files that operators take: those of Compose and Kubernetes against their schemas, and
against the program, which knows each of their settings."""

import subprocess
import sys
import unittest
from pathlib import Path

import yaml

import pods

DEPLOY = Path(__file__).resolve().parents[2] / "node-server" / "deploy"
VECTORDOC, KUBECTL = sys.argv[1:3]
CLUSTER_KEY = "k" * 64


def settings(environment: dict[str, str]) -> subprocess.CompletedProcess:
    """What `vectordoc config` says of these variables."""
    command = [VECTORDOC, "config", "--check"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def compose(name: str) -> dict:
    return yaml.safe_load((DEPLOY / "compose" / name).read_text())


def image_variables() -> dict[str, str]:
    """The variables that the image sets."""
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("ENV ")]
    return dict(pair.split("=", 1) for pair in line.split()[1:])


class Compose(unittest.TestCase):
    FILES = ("compose.yaml", "cluster.yaml")

    def test_files_are_as_the_compose_specification_says(self):
        for name in self.FILES:
            command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
            checked = subprocess.run([*command, DEPLOY / "compose" / name], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_every_variable_is_a_setting_with_a_value_that_it_may_have(self):
        for name in self.FILES:
            for service in compose(name)["services"].values():
                checked = settings(image_variables() | service["environment"])
                self.assertEqual(checked.returncode, 0, checked.stderr)
        refused = settings({"VECTORDOC_LISTNE": "0.0.0.0:7700"})
        self.assertIn("VECTORDOC_LISTEN", refused.stderr)

    def test_nodes_differ_in_name_port_and_volume_only_and_each_is_in_the_list(self):
        services = compose("cluster.yaml")["services"]
        ports = set()
        for name, service in services.items():
            variables = service["environment"]
            self.assertEqual(service["hostname"], name)
            self.assertEqual(variables["VECTORDOC_CLUSTER_ADVERTISE"], f"{name}:7800")
            self.assertIn(f"{name}:7800", variables["VECTORDOC_JOIN"].split(","))
            self.assertIn(f"{name}:/data", service["volumes"])
            (port,) = service["ports"]
            self.assertEqual(port.split(":")[1], listens_at(image_variables() | variables, "VECTORDOC_LISTEN"))
            ports.add(port)
        self.assertEqual(len(ports), 3)


def listens_at(variables: dict[str, str], name: str) -> str:
    return variables[name].rsplit(":", 1)[1]


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [KUBECTL, "kustomize", DEPLOY / "kubernetes"]
        rendered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        # Refuses what its schema does not allow.
        cls.resources = {(r["kind"], r["metadata"]["name"]): r for r in pods.validated(rendered)}
        cls.stateful_set = cls.resources["StatefulSet", "vectordoc"]
        cls.pod = cls.stateful_set["spec"]["template"]
        (cls.container,) = cls.pod["spec"]["containers"]
        cls.variables = pods.variables(cls.container, "vectordoc-1")

    def test_every_variable_is_a_setting_with_a_value_that_it_may_have(self):
        named = {k: v for k, v in self.variables.items() if k.startswith("VECTORDOC_")}
        checked = settings(named)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_ports_are_those_that_the_server_listens_at(self):
        ports = {port["name"]: str(port["containerPort"]) for port in self.container["ports"]}
        listens = {
            "client": listens_at(self.variables, "VECTORDOC_LISTEN"),
            "nodes": listens_at(self.variables, "VECTORDOC_CLUSTER_LISTEN"),
        }
        self.assertEqual(ports, listens)
        for kind, name in self.resources:
            if kind == "Service":
                for port in self.resources[kind, name]["spec"]["ports"]:
                    self.assertIn(port["targetPort"], ports)
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(self.container[probe]["httpGet"]["port"], "client")

    def test_every_pod_finds_the_others_by_the_names_of_the_service_that_has_them(self):
        service = self.resources["Service", self.stateful_set["spec"]["serviceName"]]
        self.assertEqual(service["spec"]["clusterIP"], "None")
        self.assertTrue(service["spec"]["publishNotReadyAddresses"])
        self.assertEqual(self.stateful_set["spec"]["podManagementPolicy"], "Parallel")
        replicas = range(self.stateful_set["spec"]["replicas"])
        advertised = [
            pods.variables(self.container, f"vectordoc-{n}")["VECTORDOC_CLUSTER_ADVERTISE"] for n in replicas
        ]
        self.assertEqual(self.variables["VECTORDOC_JOIN"].split(","), advertised)
        self.assertTrue(all(f".{service['metadata']['name']}:" in name for name in advertised))

    def test_selectors_choose_the_pods(self):
        labels = self.pod["metadata"]["labels"]
        selectors = [
            self.resources["Service", "vectordoc"]["spec"]["selector"],
            self.resources["Service", "vectordoc-nodes"]["spec"]["selector"],
            self.resources["PodDisruptionBudget", "vectordoc"]["spec"]["selector"]["matchLabels"],
            self.resources["NetworkPolicy", "vectordoc"]["spec"]["podSelector"]["matchLabels"],
        ]
        for selector in selectors:
            self.assertLessEqual(selector.items(), labels.items())
            self.assertTrue(selector)

    def test_a_pod_has_time_to_answer_what_it_accepted(self):
        command = [VECTORDOC, "config"]
        told = subprocess.run(command, env={}, check=True, capture_output=True, text=True).stdout
        (drain,) = [line for line in told.splitlines() if line.startswith("drain_timeout")]
        drain_s = int(drain.split('"')[1].removesuffix("s"))
        pause_s = self.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        self.assertGreater(self.pod["spec"]["terminationGracePeriodSeconds"], pause_s + drain_s)

    def test_a_majority_is_left_when_machines_are_emptied(self):
        budget = self.resources["PodDisruptionBudget", "vectordoc"]["spec"]
        self.assertLess(2 * budget["maxUnavailable"], self.stateful_set["spec"]["replicas"])


if __name__ == "__main__":
    unittest.main(argv=[__file__])

"""A real Prometheus that scrapes operators as the ServiceMonitor of manifests/overlays/monitoring says."""

import json
import math
import re
import urllib.parse
import urllib.request

import yaml
from controlplane import free_ports
from processes import Process
from repository import OVERLAY, RULES
from waiting import wait_until

ANSWER_TIMEOUT_SECONDS = 30
# An alert that looks at an age looks for a shorter one, and none waits for minutes. Else they are what is installed.
SHORTENED = [(r"for: \d+m\b", "for: 3s"), (r"> 900\b", "> 2"), (r"> 7200\b", "> 4")]


def scrape_config(service_monitor, service, token_file, ca_file, targets):
    """What the Prometheus Operator makes of a ServiceMonitor, with addresses instead of endpoints of the Service."""
    spec = service_monitor["spec"]
    [endpoint] = spec["endpoints"]
    labels = service["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["bearerTokenFile"] == "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert endpoint["tlsConfig"]["ca"]["secret"]["key"] == "ca.crt"
    return {"job_name": labels[spec["jobLabel"]], "scheme": endpoint["scheme"],
            "authorization": {"type": "Bearer", "credentials_file": str(token_file)},
            "tls_config": {"ca_file": str(ca_file), "server_name": endpoint["tlsConfig"]["serverName"]},
            "static_configs": [{"targets": targets}]}


def shortened_rules():
    text = RULES.read_text(encoding="utf-8")
    for long, short in SHORTENED:
        text, count = re.subn(long, short, text)
        assert count, long
    return text


def overlay(file, kind):
    documents = yaml.safe_load_all((OVERLAY / file).read_text(encoding="utf-8"))
    return next(document for document in documents if document["kind"] == kind)


class Prometheus:
    """In `folder`, until `stop`; it ends with the thread that started it as well."""

    def __init__(self, folder, scrape):
        [port] = free_ports(1)
        self._url = f"http://127.0.0.1:{port}"
        (folder / "rules.yaml").write_text(shortened_rules(), encoding="utf-8")
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"], "scrape_configs": [scrape]}), encoding="utf-8")
        self._process = Process("prometheus", [
            "prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], folder / "prometheus.log")

    def start(self):
        self._process.start()
        wait_until(lambda: self.ask("query", query="vector(1)"), ANSWER_TIMEOUT_SECONDS, "Prometheus answers",
                   seen=self._process.log_tail)

    def stop(self):
        self._process.kill()

    def ask(self, what, **parameters):
        """The data of its answer."""
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters, doseq=True)}"
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_SECONDS) as answer:
            return json.load(answer)["data"]

    def now(self, query, time=None):
        """Labels and value of each series."""
        answer = self.ask("query", query=query, **({"time": time} if time else {}))
        return [(each["metric"], float(each["value"][1])) for each in answer["result"]]

    def over_time(self, query, start, end, step=1):
        """Labels and samples of each series; a sample is a pair of time and value. Without those that are NaN."""
        answer = self.ask("query_range", query=query, start=start, end=end, step=step)
        found = ((each["metric"], [(time, float(text)) for time, text in each["values"]]) for each in answer["result"])
        numbers = ((labels, [sample for sample in samples if not math.isnan(sample[1])]) for labels, samples in found)
        return [(labels, samples) for labels, samples in numbers if samples]

    def alerts(self):
        """The labels of those that fire, as pairs of alert and labels."""
        return [(alert["labels"]["alertname"], alert["labels"]) for alert in self.ask("alerts")["alerts"]
                if alert["state"] == "firing"]

    def targets(self):
        return [(target["health"], target["lastError"]) for target in self.ask("targets")["activeTargets"]]

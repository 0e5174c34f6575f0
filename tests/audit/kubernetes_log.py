"""Events as an API server logs them, made for a test."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "kubernetes-audit.jsonl"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HANDLE = "disk-1"


def event(verb: str, resource: str, name: str, seconds: float = 0, **more: object) -> dict:
    reference = {"resource": resource, "name": name, "apiVersion": "v1", **more.pop("reference", {})}
    if resource in ("pods", "persistentvolumeclaims"):
        reference.setdefault("namespace", "shop")
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": f"{verb}-{resource}-{name}-{seconds}",
        "stage": "ResponseComplete",
        "verb": verb,
        "objectRef": reference,
        "responseStatus": {"metadata": {}, "code": 200},
        "stageTimestamp": (NOON + timedelta(seconds=seconds)).isoformat(),
        **more,
    }


def pod(name: str, uid: str, claim: str, seconds: float = 0) -> dict:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    answer = {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": uid},
        "spec": {"containers": [{}], "volumes": volumes},
    }
    return event("create", "pods", name, seconds, responseObject=answer)


def binding(name: str, uid: str, node: str, seconds: float = 0) -> dict:
    asked = {
        "kind": "Binding",
        "metadata": {"name": name, "uid": uid},
        "target": {"kind": "Node", "name": node},
    }
    return event("create", "pods", name, seconds, reference={"subresource": "binding"}, requestObject=asked)


def volume(name: str, claim: str, handle: str = HANDLE, seconds: float = 0, **attributes: str) -> dict:
    asked = {
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "csi": {"driver": "demo", "volumeHandle": handle, "volumeAttributes": attributes},
            "claimRef": {"namespace": "shop", "name": claim, "uid": "c-1"},
        },
    }
    return event("create", "persistentvolumes", name, seconds, requestObject=asked)


def gone(name: str, uid: str, seconds: float) -> dict:
    asked = {"kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
    return event("delete", "pods", name, seconds, requestObject=asked)


def lines(*events: dict) -> list[str]:
    return [json.dumps(each) for each in events]

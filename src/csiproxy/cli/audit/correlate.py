"""``csi-proxy audit correlate``: which calls did no PersistentVolume ask for?"""

from contextlib import ExitStack
from datetime import timedelta
from itertools import chain

import click
from rich.console import Console

from csiproxy.audit import correlation, files, kubernetes
from csiproxy.audit.calls import calls_of
from csiproxy.audit.correlation import AFTER, BEFORE, Judgement, Options, Verdict
from csiproxy.audit.kubernetes import Cluster
from csiproxy.cli.audit.trail import COLUMNS, Span, row, trail_argument
from csiproxy.cli.failure import FAILURE, SUCCESS, Failure, Problem
from csiproxy.cli.output import Output, output_option, table


@click.command("correlate")
@trail_argument
@click.option(
    "--kubernetes-log",
    "logs",
    required=True,
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="a Kubernetes audit log (lines of audit.k8s.io/v1 Events); may be repeated, in the order of time",
)
@click.option("--node", default="", metavar="NAME", help="the node whose trail it is; default: any")
@click.option(
    "--before", type=Span(), default=BEFORE, metavar="SPAN", help="how far clocks may differ; default: 1m"
)
@click.option(
    "--after",
    type=Span(),
    default=AFTER,
    metavar="SPAN",
    help="how long after a pod's end its volumes may still be unmounted; default: 10m",
)
@click.option("--all", "everything", is_flag=True, help="list every call, with who asked for it")
@output_option
@click.pass_obj
def correlate(
    output: Output,
    /,
    trail: str,
    logs: tuple[str, ...],
    node: str,
    before: timedelta,
    after: timedelta,
    *,
    everything: bool,
) -> int:
    """List the calls that no PersistentVolume asked for, by Kubernetes' own audit log.

    Kubelet's paths name pods and volumes, so each call is held against the pods that used a volume at that
    time. The log needs the objects of pods, persistentvolumeclaims and persistentvolumes (audit level Request
    or RequestResponse). The exit code is 1 where there is such a call, else 0.
    """
    cluster = _read(logs)
    judged = correlation.correlate(
        list(calls_of(files.all_files(trail))), cluster, Options(node, before, after)
    )
    listed = [one for one in judged if everything or one.verdict is Verdict.UNASKED]
    output.result(_plain(judged, listed, cluster), lambda console: _show(console, judged, listed, cluster))
    return FAILURE if any(one.verdict is Verdict.UNASKED for one in judged) else SUCCESS


def _read(logs: tuple[str, ...]) -> Cluster:
    with ExitStack() as opened:
        cluster = kubernetes.read(
            chain.from_iterable(opened.enter_context(open(path, "rb")) for path in logs)
        )
    if not cluster.events:
        named = ", ".join(logs)
        raise Failure(Problem(f"there is no audit.k8s.io Event in {named}: name a Kubernetes audit log"))
    return cluster


def _plain(judged: list[Judgement], listed: list[Judgement], cluster: Cluster) -> dict[str, object]:
    numbers = correlation.counts(judged)
    return {
        "counts": {verdict.value: numbers[verdict] for verdict in Verdict},
        "kubernetes_events": cluster.events,
        "kubernetes_lines_skipped": cluster.skipped,
        "calls": [
            {"verdict": one.verdict.value, "why": one.why, "record": dict(one.call.record)} for one in listed
        ],
    }


def _show(console: Console, judged: list[Judgement], listed: list[Judgement], cluster: Cluster) -> None:
    if listed:
        rows = (
            (one.verdict.value, *row(one.call), one.why)
            for one in sorted(listed, key=lambda one: (one.verdict is not Verdict.UNASKED, one.call.time))
        )
        console.print(table(("VERDICT", *COLUMNS, "WHY"), rows))
    numbers = correlation.counts(judged)
    console.print(
        f"{numbers[Verdict.UNASKED]} of {len(judged)} calls were not asked for by a PersistentVolume; "
        f"{numbers[Verdict.ASKED]} were, {numbers[Verdict.NODE]} are about the node, "
        f"{numbers[Verdict.UNJUDGED]} are outside of the {cluster.events} events"
    )
    if not cluster.with_objects:
        console.print("note: the log has no objects (audit level Metadata), so claims and UIDs are not known")

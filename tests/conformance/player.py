"""Plays a driver's recordings on a running proxy, and kubelet's part: what fails is called again."""

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

import grpc
from google.protobuf.message import Message
from tests.conformance.go_client import GoRefused
from tests.conformance.recordings import DRIVER, KUBELET, Driver, Loss, Step
from tests.conformance.running import Running
from tests.conformance.wire import refusal

# How often kubelet makes a CSI call before a test calls it stuck.
MOST_TRIES = 3


class End(Enum):
    """How the driver's side of a call ends that has no reply."""

    DRIVER_DIES = "the driver dies once it has sent"
    CONNECTION_BREAKS = "the connection breaks once the job is done"


class CsiCallFailed(Exception):
    """The driver gives kubelet an error."""


class Player:
    """One driver with the values of one volume."""

    def __init__(self, running: Running, driver: Driver, values: Mapping[str, Any]) -> None:
        self._running = running
        self._driver = driver
        self.values = dict(values)
        self.lost = ""

    def call(self, steps: tuple[Step, ...], losing: int | None = None, end: End = End.DRIVER_DIES) -> Any:
        """Make a CSI call as often as it takes, and give the last reply in it.

        The reply to its RPC number ``losing``, from 0, is lost at the first try; ``lost`` is that RPC's name.
        """
        self.lost = ""
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                return self.play(steps, losing, end)
            except CsiCallFailed:
                losing = None
                if not tries_left:
                    raise
        raise AssertionError("there is at least one try")

    def undisturbed(self, steps: tuple[Step, ...]) -> Any:
        """Make a CSI call of which every reply is as recorded; a driver that fails then is called again."""
        try:
            return self.play(steps, recorded=True)
        except CsiCallFailed:
            assert any(step.refused and not step.ignores_errors for step in steps)
            return self.call(steps)

    def loss(self, steps: tuple[Step, ...]) -> Loss | None:
        """What the driver makes of the reply that the CSI call has lost, when it does not cope with it."""
        return self._driver.unstage_losses.get(self.lost) if steps is self._driver.unstage else None

    def play(
        self,
        steps: tuple[Step, ...],
        losing: int | None = None,
        end: End = End.DRIVER_DIES,
        *,
        recorded: bool = False,
    ) -> Any:
        """Try a CSI call once; the last reply.  ``recorded``: replies must be what the rows say."""
        reply, sent = None, 0
        for step in steps:
            if step.group in (KUBELET, DRIVER):
                self._act(step)
                continue
            if (step.needs and not self.values.get(step.needs)) or self.values.get(step.unless):
                continue
            number, sent = sent, sent + 1
            if number == losing:
                self._lose(step, end)
                continue
            reply = self._send(step, recorded=recorded)
            if reply is not None and step.done and self._has(reply, step.done):
                return reply
        return reply

    def _act(self, step: Step) -> None:
        path = self._fill(step.send["path"])
        if step.rpc == "MkdirAll":
            self._running.make(path)
        elif self._running.exists(path):
            os.unlink(self._running.on_host(path))

    def _lose(self, step: Step, end: End) -> None:
        name, sent = self._name(step), self._filled(step)
        self._running.hang_up(name, step.rpc, sent, at_once=end is End.DRIVER_DIES)
        self.lost = step.rpc
        if end is End.CONNECTION_BREAKS:
            self._fail(step, None)
        else:
            raise CsiCallFailed(step.rpc)

    def _send(self, step: Step, *, recorded: bool) -> Any:
        client = self._running.client(self._name(step))
        try:
            reply = client(step.rpc, **self._filled(step))
        except (grpc.RpcError, GoRefused) as error:
            refused = error.refusal if isinstance(error, GoRefused) else refusal(error)
            if recorded:
                assert refused.status == step.refused, (step.rpc, refused)
            self._fail(step, error)
            return None
        if recorded:
            assert not step.refused, (step.rpc, reply)
            assert self._has(reply, step.reply), (step.rpc, reply)
        for name, at in step.keep.items():
            value = getattr(reply, at)
            self.values[name] = value if isinstance(value, (bool, int, str)) else value[0]
        return reply

    def _fail(self, step: Step, error: Exception | None) -> None:
        """What the driver does about an error; it returns when the driver ignores it."""
        for name in step.keep:
            self.values.pop(name, None)
        if not step.ignores_errors:
            self.play(step.after_failure)
            raise CsiCallFailed(step.rpc) from error

    def _has(self, reply: Any, wanted: Mapping[str, Any]) -> bool:
        return all(self._look(reply, at) == self._fill(value) for at, value in wanted.items())

    def _look(self, reply: Any, at: str) -> Any:
        found = reply
        for part in at.split("."):
            found = getattr(found, part) if isinstance(found, Message) else found[self._fill(part)]
        return found

    def _name(self, step: Step) -> str:
        return f"{step.group}/{self._driver.versions[step.group]}"

    def _filled(self, step: Step) -> dict[str, Any]:
        return {name: self._fill(value) for name, value in step.send.items()}

    def _fill(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith("{") and value.endswith("}"):
            return self.values[value[1:-1]]
        return value.format(**self.values)

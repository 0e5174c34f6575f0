"""A CIM session that tells how long each of its steps took."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from csiproxy.errors import CimError
from csiproxy.host.cim import Instance, Result, Session, Value

T = TypeVar("T")

Observe = Callable[[str, str, str, float], None]
"""Told the class, the method (or ``query``, ``associators``), what it gave, and the seconds."""


class MeteredSession:
    """``session``, with ``observe`` told of every step."""

    def __init__(self, session: Session, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""
        return self._step(
            class_name, "query", lambda: self._session.instances(class_name, **where), lambda _: "0"
        )

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""

        def step() -> list[Instance]:
            return self._session.associated(instance, association, result_class, result_role)

        return self._step(association, "associators", step, lambda _: "0")

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """See :class:`~csiproxy.host.cim.Session`."""
        class_name = target if isinstance(target, str) else target.class_name

        def step() -> Result:
            return self._session.invoke(target, method, **parameters)

        return self._step(class_name, method, step, lambda result: str(result.return_value))

    def _step(self, class_name: str, method: str, step: Callable[[], T], code_of: Callable[[T], str]) -> T:
        began = monotonic()
        code = "unreachable"
        try:
            result = step()
            code = code_of(result)
        except CimError as error:
            code = f"0x{error.hresult:08x}"
            raise
        finally:
            self._observe(class_name, method, code, monotonic() - began)
        return result

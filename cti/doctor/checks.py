"""All checks, in the order an administrator would mend what they find. Nothing here looks at the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cti.doctor import ami_checks, host_checks
from cti.doctor.facts import Facts
from cti.doctor.findings import Finding

CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    host_checks.check_layout,
    host_checks.check_profile,
    host_checks.check_workdays,
    host_checks.check_secret,
    ami_checks.check_reachable,
    ami_checks.check_rights,
    ami_checks.check_queue,
    ami_checks.check_events,
    ami_checks.check_dialplan,
    ami_checks.check_clock,
    ami_checks.check_config,
    ami_checks.check_ring,
    ami_checks.check_wrap_up,
    host_checks.check_queue_log,
    host_checks.check_records,
    host_checks.check_folders,
    host_checks.check_agi,
    host_checks.check_web,
)


def judge(facts: Facts) -> list[Finding]:
    """Every finding."""
    return [finding for check in CHECKS for finding in check(facts)]

"""After a restart: the plan that was in force goes on, a proposal that waited is withdrawn."""

from __future__ import annotations

from typing import Final

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text, both
from clearway.operations.winter.keeping import fingerprint, kept
from clearway.operations.winter.learning import FILE as SPEEDS_FILE
from clearway.operations.winter.learning import Speeds
from clearway.operations.winter.proposals import RULE
from clearway.operations.winter.service import WinterService
from clearway.records import Command
from clearway.records.actors import desk_actor

KEPT_FILE: Final = "winter-plan.json"
FOLLOWED: Final = ("open", "acknowledged", "started")
"""States of a task whose lists crews follow."""


def take_up(service: WinterService) -> bool:
    """Take up the plan that was in force before a restart; whether there was one that is not over.

    A proposal that waited then is withdrawn: what it was made from is gone, and the next look at the need
    makes a new one. A file that is damaged, or of other roads, is said on the page and left as it is.
    """
    with service.lock:
        if service.keep_in is None or service.running is not None:
            return False
        service.speeds = Speeds.kept(service.keep_in.with_name(SPEEDS_FILE))
        reason = both(Text("the service was restarted; a new plan follows", "系统已重启，将另提计划"))
        actor = desk_actor("winter", simulated=service.simulated)
        for row in service.journal.list("proposal"):
            if row.state == "open" and row.data.get("rule", {}).get("id") == RULE.id:
                key = f"{row.id}:withdraw:restart"
                service.journal.submit(Command("proposal", "withdraw", {}, actor, key, row.id, reason=reason))
        try:
            found = kept(service.keep_in, fingerprint(service.network))
        except InputError as error:
            service.said = error.words
            return False
        task = service.journal.find(found.task) if found is not None else None
        if found is None or task is None or task.state not in FOLLOWED:
            return False
        service.running = found.again(service.site())
        return True

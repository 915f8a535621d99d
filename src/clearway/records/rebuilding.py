"""Rebuild the projections of a store from outside a running journal."""

from __future__ import annotations

from clearway.kernel.errors import SystemFailureError
from clearway.records.kinds import Kinds
from clearway.records.lease import Lease
from clearway.records.replay import rebuild
from clearway.records.store import Store, failure, is_database_error


def rebuild_store(store: Store, kinds: Kinds) -> int:
    """Fold all events anew, as the writer of the store; returns their number.

    Raises:
        SystemFailureError: somebody else writes to the store, or it failed; nothing was changed.
    """
    connection = store.writer()
    lease = Lease(store, connection)
    try:
        if not lease.acquire():
            raise SystemFailureError(
                f"{lease.holder} writes to this store now", where=store.name, hint="Stop it"
            )
        lease.enter()
        count = rebuild(connection, kinds)
        connection.commit()
    except Exception as error:
        if is_database_error(error):
            raise failure(error, store.name) from error
        raise
    finally:
        lease.give_up()
        connection.close()
    return count

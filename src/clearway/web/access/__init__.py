"""Staff accounts, roles, tokens and sessions: the only place where Clearway knows people by name."""

from clearway.web.access.model import Account, Grant, Principal
from clearway.web.access.store import AccessStore

__all__ = ["AccessStore", "Account", "Grant", "Principal"]

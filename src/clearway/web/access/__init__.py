"""Staff accounts, roles, tokens and sessions: the only place where Clearway knows people by name."""

from clearway.web.access.model import Account, Audited, Change, Grant, Principal, Token
from clearway.web.access.store import AccessStore

__all__ = ["AccessStore", "Account", "Audited", "Change", "Grant", "Principal", "Token"]

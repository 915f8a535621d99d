"""What must be forgettable: free text, photos and contacts, outside the chain."""

from clearway.records.sealed.images import strip_metadata
from clearway.records.sealed.store import SealedRef, SealedStore

__all__ = ["SealedRef", "SealedStore", "strip_metadata"]

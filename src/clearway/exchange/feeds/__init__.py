"""Feeds of public warnings: Atom and RSS, as bytes ready to be served."""

from clearway.exchange.feeds.atom_feed import atom
from clearway.exchange.feeds.encoded import Encoded, encode, matches
from clearway.exchange.feeds.listing import Entry, Feed, entries
from clearway.exchange.feeds.rss_feed import rss

__all__ = ["Encoded", "Entry", "Feed", "atom", "encode", "entries", "matches", "rss"]

"""Rules by profile; importing this package registers them all."""

from clearway.exchange.cap.rules import base, cap_au, cap_cp, clearway, google, ipaws, met_norway

__all__ = ["base", "cap_au", "cap_cp", "clearway", "google", "ipaws", "met_norway"]

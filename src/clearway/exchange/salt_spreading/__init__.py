"""Salt-spreading instances and solutions (JSON); see ``package.md``."""

from clearway.exchange.salt_spreading.model import Leg, Refill, SaltInstance, SaltRoad, SaltRoute, Truck
from clearway.exchange.salt_spreading.parser import read

__all__ = ["Leg", "Refill", "SaltInstance", "SaltRoad", "SaltRoute", "Truck", "read"]

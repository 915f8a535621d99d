"""Weather for the picture: past analysis and forecast by member and grid cell. See ``package.md``."""

from clearway.operations.forecast.assemble import assemble_weather
from clearway.operations.forecast.cells import Cells

__all__ = ["Cells", "assemble_weather"]

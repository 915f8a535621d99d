"""Files of road sites: our own CSV, NORTRIP text tables, METRo XML, RoadSurf JSON."""

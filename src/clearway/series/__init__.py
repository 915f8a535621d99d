"""Floor 2: observation and forecast time series, each value with its time, its arrival and its quality.

:class:`clearway.series.store.SeriesStore` keeps everything in one SQLite file of its own, so that a heavy
ingest never delays a command in the journal. See ``package.md``.
"""

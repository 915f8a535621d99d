"""From bulletins to observations: times resolved against a reference; repeats are the store's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from clearway.exchange.adapter import ProblemLog, decode, load
from clearway.exchange.metar.framing import Frame, frames, resolve
from clearway.exchange.metar.report import MetarReport, time_group
from clearway.exchange.metar.report import decode as decode_report
from clearway.kernel.clock import epoch_s, iso, require_utc
from clearway.kernel.errors import InputError
from clearway.series.model import ObservationBatch, Reading


@dataclass(frozen=True, slots=True, eq=False)
class MetarReading(Reading):
    """As :class:`Reading`, with each decoded report; nothing a report says is lost in the numbers."""

    reports: tuple[MetarReport, ...] = ()


def read(
    source: bytes | str | Path,
    *,
    reference: datetime,
    received_at: int | None = None,
    source_name: str = "metar",
) -> MetarReading:
    """Read METAR and SPECI reports from a bulletin.

    Args:
        source: bulletin, its bytes or its file.
        reference: about when it was received; tells month and year, since reports give the day alone.
        received_at: epoch seconds of arrival; default: each report known at its own time.
        source_name: feed name to store with the values.

    Raises:
        InputError: unreadable file, or no report in it at all.
    """
    data, where = load(source)
    text, encoding = decode(data)
    log, near = ProblemLog(where), require_utc(reference)
    reports = []
    for frame in frames(text.upper(), log):
        report = _report(frame, near, log)
        if report is not None:
            reports.append(report)
    if not reports:
        raise InputError("no METAR or SPECI found", where=where)
    notes = () if encoding == "utf-8" else (f"read as {encoding}",)
    batch = _batch(reports, source_name, received_at)
    return MetarReading(batch, log.result(), (), notes, tuple(reports))


def _report(frame: Frame, reference: datetime, log: ProblemLog) -> MetarReport | None:
    place, near = f"line {frame.line}", frame.near or reference
    group = time_group(frame)
    at = resolve(group, near)
    if at is None and group:
        log.add(f"time group {group} does not exist near {iso(near)}: left out: {frame.text[:60]}", place)
        return None
    if at is None:
        at = resolve(frame.heading_time, near)
        told = "the bulletin's heading" if at else "the reference"
        at = at or near.astimezone(UTC).replace(second=0, microsecond=0)
        log.add(f"report without time; taken from {told}: {iso(at)}", place)
    try:
        report = decode_report(frame, at)
    except ValueError as error:
        log.add(f"cannot be decoded ({error}): {frame.text[:60]}", place)
        return None
    if report.unread:
        log.add(f"groups not understood: {' '.join(report.unread)}", f"{place} {report.station}")
    return report


def _batch(reports: list[MetarReport], source: str, received_at: int | None) -> ObservationBatch:
    rows = [
        (report.station, quantity, at, value)
        for report, at in ((report, epoch_s(report.at)) for report in reports if not report.nil)
        for quantity, value in values(report).items()
    ]
    if not rows:
        return ObservationBatch.empty()
    subject, quantity, valid, value = zip(*rows, strict=True)
    known = np.array(valid) if received_at is None else received_at
    return ObservationBatch.build(subject, quantity, valid, value, known_at=known, source=source)


def values(report: MetarReport) -> dict[str, float]:
    """What a report says, as quantities; only what it says."""
    told: dict[str, float | None] = {
        "air_temperature_c": report.air_temperature_c,
        "dew_point_c": report.dew_point_c,
        "pressure_msl_hpa": report.pressure_msl_hpa,
        "wind_speed_ms": report.wind_speed_ms,
        "wind_gust_ms": report.wind_gust_ms,
        "wind_direction_deg": report.wind_direction_deg,
        "visibility_m": report.visibility_m,
        "runway_visual_range_m": min((r.low_m for r in report.runway_ranges), default=None),
        "vertical_visibility_m": report.vertical_visibility_m,
        "cloud_fraction": report.cloud_fraction,
        "cloud_base_m": report.cloud_base_m,
        "precipitation_mm": report.precipitation_1h_mm,
        "snow_depth_m": report.snow_depth_m,
        "ice_accretion_mm": report.ice_accretion_1h_mm,
    }
    if report.weather or report.cavok or not report.automatic:
        told |= {
            "precipitation_kind": float(report.precipitation),
            "precipitation_intensity": float(report.intensity),
            "fog": float(report.fog),
            "thunder": float(report.thunder),
            "blowing_snow": float(report.blowing_snow),
        }
    return {quantity: value for quantity, value in told.items() if value is not None}

"""Profiles: what sets consumer groups apart, who moves between them, and who they are."""

from collections.abc import Mapping

import pandas as pd

from helpers import groups, style


def basis_sentences(found: groups.Groups, n_months: int, unknown_share: float, peak: str) -> list[str]:
    """Say what the groups rest on: how many consumers, how long a history, and what stays out of sight."""
    columns = [style.say(f"groups.feature_{c}") for c in found.model.columns]
    said = [
        style.say("groups.basis", n=len(found.labels), months=n_months, unknown=style.percent(unknown_share)),
        style.say("groups.basis_columns", columns=style.listed(columns, 12)),
    ]
    return [*said, style.say("groups.basis_peak", peak=peak)] if peak != "–" else said


def demographic_table(described: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay a demographic profile out for reading: a row per value, the groups side by side as shares within each."""
    rows = described[described["value"] != "not_stated"].assign(group=described["group"].map(names))
    rows = rows.rename(columns={"column": "feature"})
    wide = rows.pivot_table(index=["feature", "value"], columns="group", values="within_share", sort=False)
    return wide.rename_axis(columns=None).reset_index()


def shown(profile: pd.DataFrame) -> list[str]:
    """Choose the columns of `profile_table` that fit on a page; the published table has them all."""
    return [c for c in profile.columns if c not in ("group", "spent", "silent_days")]

"""Summaries of a batch: means, intervals and tests, against SciPy and NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from distortion_graph.base.errors import BatchError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.batch.dashboard import dashboard
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.results import write_part
from distortion_graph.batch.rows import PAIR_COLUMNS, failed_row
from distortion_graph.batch.summary import latex, markdown, summarise

pytest.importorskip("pyarrow")

RNG = np.random.default_rng(3)
OLD = RNG.uniform(0.5, 0.8, 60)
NEW = OLD + RNG.normal(0.05, 0.03, 60)


def pair_of(number: int, method: str, score: float) -> dict[str, Any]:
    return {
        "id": f"{method}/{number}",
        "status": "done",
        "anchor": f"{number}.png",
        "target": f"{method}/{number}.png",
        "target_score": float(score),
        "margin": float(1 - score),
        "comparison": "slightly_better",
        "method": method,
        "warnings": [],
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("pairs", "regions"):
        (tmp_path / name).mkdir()
    rows = [pair_of(k, "old", s) for k, s in enumerate(OLD)]
    rows += [pair_of(k, "new & better", s) for k, s in enumerate(NEW)]
    rows.append(failed_row(PairTask("old/x", "x", "y", columns={"method": "old"}), "no picture"))
    regions = [
        {
            "pair": row["id"],
            "region": 0,
            "name": "r",
            "target_distortion": "blur" if k % 4 else "noise",
            "target_severity": "minor",
            "target_score": row["target_score"],
        }
        for k, row in enumerate(rows[:-1])
    ]
    write_part(tmp_path, 0, rows[:50], regions[:50], {**PAIR_COLUMNS, "method": str})
    write_part(tmp_path, 1, rows[50:], regions[50:], {**PAIR_COLUMNS, "method": str})
    return tmp_path


def test_means_intervals_and_tests_are_those_of_scipy(out):
    summary = summarise(out)
    new, old = summary.methods
    assert (new.method, new.pairs, new.failed) == ("new & better", 60, 0)
    assert (old.method, old.pairs, old.failed) == ("old", 61, 1)
    mean = old.means["target_score"]
    assert mean.value == pytest.approx(OLD.mean()) and mean.pairs == 60
    half = 1.96 * OLD.std(ddof=1) / 60**0.5
    assert mean.interval == pytest.approx((OLD.mean() - half, OLD.mean() + half), abs=0.006)
    (difference,) = summary.differences
    assert difference.difference.value == pytest.approx((NEW - OLD).mean())
    assert difference.p == pytest.approx(stats.wilcoxon(NEW - OLD).pvalue)
    share, score = old.distortions["noise"]
    assert share == 0.25 and score == pytest.approx(OLD[::4].mean())


def test_tables_are_markdown_and_latex_that_say_the_same(out):
    summary = summarise(out)
    text, tex = markdown(summary), latex(summary)
    assert "| new & better | 60 | 0 |" in text and r"new \& better & 60 & 0" in tex
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 3


def test_another_column_may_tell_methods_apart_and_one_that_is_not_there_is_refused(out):
    assert [m.method for m in summarise(out, "status").methods] == ["done", "failed"]
    with pytest.raises(BatchError, match="no column 'methode'"):
        summarise(out, "methode")


def test_the_page_names_every_pair_and_runs_nothing_but_its_own_script(out):
    page = dashboard(out, summarise(out), DEFAULT_VOCABULARY)
    assert page.count("<script") == 2 and "default-src 'none'" in page
    assert '"new & better/3"' not in page  # & is escaped inside a script
    assert '"old/x"' in page and "no picture" in page
    assert "121 pairs were compared, 1 failed" in page

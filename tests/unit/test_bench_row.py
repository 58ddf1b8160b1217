"""The benchmark's table, and what it calls a regression."""

from pathlib import Path

from tests.bench.row import Row, from_json, in_milliseconds, regressions, row_of, table, to_json

RATIO = Row("start", 1.2, 1.35, reference="a bare app", low=1.1, high=1.3)


def test_a_row_of_measurements_has_median_and_quartiles() -> None:
    row = row_of("start", [1.0, 1.1, 1.2, 1.3, 9.0], 1.35, reference="a bare app")
    assert (row.median, row.is_met) == (1.2, True)
    assert row.low is not None
    assert row.high is not None
    assert row.low < 1.2 < row.high


def test_the_table_says_what_is_missed() -> None:
    missed = in_milliseconds([("key", 0.08, 0.05)])[0]
    text = table([RATIO, missed, Row("peer", 0.0, None, note="not installed")], "2 cores")
    assert "| start | 1.2 [1.1-1.3] | 1.35 | yes | a bare app |" in text
    assert "| key | 80 ms | 50 ms | **no** | – |" in text
    assert "| peer | not installed | – | – | – |" in text


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert from_json(path) == {}
    path.write_text(to_json([RATIO], "2 cores"))
    assert from_json(path) == {"start": RATIO}


def test_a_fifth_worse_is_a_regression_of_a_ratio_only() -> None:
    before = {"start": RATIO, "key": Row("key", 10.0, 50.0, "ms")}
    now = [RATIO._replace(median=1.45), Row("key", 40.0, 50.0, "ms"), Row("new", 1, 2)]
    assert regressions(now, before) == ["start: 1.45, was 1.2"]
    assert regressions([RATIO._replace(median=1.43)], before) == []

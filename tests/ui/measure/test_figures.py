"""What the charts of measurements draw."""

from explorer.ui.kit.charts import whiskers


def test_whiskers_end_at_zero() -> None:
    found = whiskers([(5.0, 2.0), (5.0, 9.0)])
    assert found["array"] == [2.0, 9.0]
    assert found["arrayminus"] == [2.0, 5.0]

"""The scoreboard of the landing page against the published results."""

from explorer import catalogue

STORY = catalogue.timeline()


def test_winners_are_the_published_ones():
    assert [(entry.year, entry.top5_error.value) for entry in STORY.ilsvrc] == [
        (2010, 28.2),
        (2011, 25.8),
        (2012, 15.3),
        (2013, 11.7),
        (2014, 6.67),
        (2015, 3.57),
        (2016, 2.99),
        (2017, 2.25),
    ]


def test_error_falls_every_year_and_passes_the_human_in_2015():
    errors = [entry.top5_error.value for entry in STORY.ilsvrc]
    assert errors == sorted(errors, reverse=True)
    assert STORY.human.value == 5.1
    assert next(e.year for e in STORY.ilsvrc if e.top5_error.value < STORY.human.value) == 2015


def test_only_the_years_before_alexnet_are_hand_crafted():
    assert [entry.year for entry in STORY.ilsvrc if entry.hand_crafted] == [2010, 2011]


def test_a_winner_in_the_catalogue_publishes_the_same_error_there():
    for entry in STORY.ilsvrc:
        if entry.architecture:
            published = [fact.value for fact in catalogue.get(entry.architecture).facts["top5_error"]]
            assert entry.top5_error.value in published, entry


def test_the_pipeline_before_networks_has_all_its_steps():
    assert {method.step for method in STORY.handcrafted} == {
        "detect and describe",
        "describe",
        "aggregate",
        "classify",
    }
    assert {"HOG", "SIFT", "SURF", "Bag of visual words", "SVM"} <= {m.name for m in STORY.handcrafted}
    assert all(method.year == method.paper.year for method in STORY.handcrafted)


def test_the_ladder_climbs_through_milestones_in_order_of_year():
    stops = {stop.id: stop.year for stop in catalogue.milestones()}
    years = [stops[rung.architecture] for rung in STORY.ladder]
    assert years == sorted(years)
    assert [rung.architecture for rung in STORY.ladder][:2] == ["lenet5", "alexnet"]

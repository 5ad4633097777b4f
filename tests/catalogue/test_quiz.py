"""The quiz's data: enough of it, all valid, and what a file may not say is an error with its address."""

import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest

from explorer import catalogue
from explorer.catalogue.quiz import LEVELS, TOPICS, questions, read_questions
from explorer.catalogue.reading import CatalogueError
from tests.conftest import REPOSITORY

COMPUTED = """
[q]
level = 1
kind = "choice"
text = "How many weights has a {kernel}×{kernel} of {network}?"
answer = "layer_weights"
arguments = { kernel = 3, network = "vgg16" }
why = "Because {kernel}."
see = "/"
see_label = "The timeline"
"""
WRITTEN = """
[q]
level = 2
kind = "pair"
text = "Which?"
right = "This"
wrong = ["That"]
source = "he2015: section 1"
why = "So it is."
see = "/quiz"
see_label = "Here"
"""


def read(folder, text: str, file: str = "cost.toml"):
    (folder / file).write_text(text, encoding="utf-8")
    return read_questions(folder)


def test_at_least_forty_questions_of_every_topic_level_and_kind():
    found = questions().values()
    assert len(found) >= 40
    assert min(Counter(each.topic for each in found).values()) >= 8
    assert {each.topic for each in found} == set(TOPICS)
    assert {each.level for each in found} == set(LEVELS)
    assert {each.kind for each in found} == {"choice", "number", "pair", "order"}


def test_most_answers_are_computed_and_the_others_say_where_they_stand():
    found = questions().values()
    assert sum(each.computed for each in found) >= 0.8 * len(found)
    assert all(each.source for each in found if not each.computed)


def test_each_question_is_asked_once_and_stands_by_itself():
    texts = [each.text for each in questions().values()]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if "{" in text or text.startswith(("And ", "Then "))]


def test_each_links_to_a_page_and_a_network_that_there_are():
    for each in questions().values():
        address = urlsplit(each.see)
        page = REPOSITORY / "pages" / f"{address.path.strip('/') or 'timeline'}.py"
        assert page.exists(), each.id
        named = dict(parse_qsl(address.query)).get("arch", "vgg16")
        assert named in catalogue.architectures(), each.id


def test_arguments_stand_in_the_text_networks_by_their_names(tmp_path):
    question = read(tmp_path, COMPUTED)["q"]
    assert question.text == "How many weights has a 3×3 of VGG-16?"
    assert question.why == "Because 3."
    assert (question.topic, question.computed, question.arguments["kernel"]) == ("cost", True, 3)


def test_written_options_cite_their_source(tmp_path):
    question = read(tmp_path, WRITTEN)["q"]
    assert (question.right, question.wrong, question.computed) == ("This", ("That",), False)
    assert question.source == "He et al. 2015, section 1"
    assert question.url.startswith("https://arxiv.org/")


@pytest.mark.parametrize(
    ("text", "old", "new", "field"),
    [
        (COMPUTED, "level = 1", "level = 4", "level"),
        (COMPUTED, "level = 1", 'level = "1"', "level"),
        (COMPUTED, '"choice"', '"guess"', "kind"),
        (COMPUTED, "{network}?", "{net}?", "text"),
        (COMPUTED, '"vgg16"', '"vgg17"', "arguments.network"),
        (COMPUTED, 'see = "/"', 'see = "timeline"', "see"),
        (COMPUTED, "level = 1", "level = 1\ncolour = 1", "colour"),
        (COMPUTED, "level = 1", "level = 1\ntolerance = 0.5", "tolerance"),
        (COMPUTED, "level = 1", "level = 1\nper = 0", "per"),
        (COMPUTED, "level = 1", 'level = 1\nright = "9"', "right"),
        (COMPUTED, "level = 1", 'level = 1\nsource = "nobody2015"', "source"),
        (COMPUTED, 'answer = "layer_weights"\n', "", "wrong"),
        (WRITTEN, '["That"]', '["This"]', "wrong"),
        (WRITTEN, '["That"]', '["That", "Other"]', "wrong"),
        (WRITTEN, 'source = "he2015: section 1"\n', "", "source"),
        (WRITTEN, '"pair"', '"number"', "answer"),
        (WRITTEN, 'why = "So it is."\n', "", "why"),
    ],
)
def test_what_is_wrong_is_named_by_file_question_and_field(tmp_path, text, old, new, field):
    assert old in text
    with pytest.raises(CatalogueError, match=rf"^cost\.toml: q: {re.escape(field)}: "):
        read(tmp_path, text.replace(old, new))


def test_a_file_of_no_topic_and_an_id_given_twice_are_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"^colours\.toml: is none of the topics history, cost"):
        read(tmp_path, COMPUTED, "colours.toml")
    (tmp_path / "colours.toml").unlink()
    read(tmp_path, COMPUTED)
    with pytest.raises(CatalogueError, match=r"^field\.toml: q: stands in cost\.toml too"):
        read(tmp_path, COMPUTED, "field.toml")

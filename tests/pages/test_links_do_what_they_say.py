"""What a quiz question or a claim links to: the page opens in the very state that the address asks for."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from explorer.catalogue.claims import claims
from explorer.catalogue.quiz import questions
from tests.pages import opening


def addresses() -> list[str]:
    """Each state that is linked to, once; a network alone is asked for by the tests of its page."""
    links = {each.see for each in questions().values()} | {f"/{each.see}" for each in claims().values()}
    states = {(urlsplit(link).path, tuple(asked(link).items())): link for link in sorted(links)}
    return [link for (_, state), link in states.items() if state]


def asked(link: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(urlsplit(link).query) if name != "arch"}


@pytest.mark.parametrize("link", addresses())
def test_the_page_stands_as_the_address_asks(link):
    """A control whose range ends before the value that is asked for would go back to its start."""
    network = dict(parse_qsl(urlsplit(link).query)).get("arch", "")
    app = opening.opened(f"pages{urlsplit(link).path}.py", arch=network, **asked(link))
    for name, value in asked(link).items():
        shown = app.session_state[name]
        assert (float(value) if isinstance(shown, float | int) else value) == shown, (name, shown)

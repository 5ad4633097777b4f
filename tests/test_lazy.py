"""Names that are imported when they are first asked for."""

from importlib import import_module

import pytest


@pytest.mark.parametrize("package", ["", ".analysis", ".inference", ".networks", ".training"])
def test_every_name_that_a_package_promises_can_be_had(package: str):
    module = import_module(f"explorer{package}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_a_name_that_no_module_has_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'explorer\.networks' has no attribute 'nothing'"):
        import_module("explorer.networks").nothing  # noqa: B018

"""``umnist fool`` with a real model on a small image."""

from __future__ import annotations

import json

from click.testing import CliRunner

from umnist_core.cli import root

SMALL = ["--set", "canvas=480", "--set", "factor=0.5..3", "--seed", "5", "--index", "3"]


def test_search_is_told_in_a_sentence_and_as_json() -> None:
    """Both tell the same; what is found is an address with both images and the model."""
    command = ["fool", "--model", "additive-pyramid", "--device", "cpu", "--tries", "3", *SMALL]
    told = CliRunner().invoke(root, [*command, "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert found["tried"] <= found["tries"] == 3
    assert (found["found"] is None) == (found["became"] is None) == (found["link"] is None)
    said = CliRunner().invoke(root, command)
    assert said.output.splitlines()[0] == found["sentence"]
    if found["link"] is not None:
        assert f"both: {found['link']}" in said.output
        assert "pair=1" in found["link"]
        assert "model=additive-pyramid" in found["link"]


def test_variation_without_a_range_is_an_error_of_usage() -> None:
    """Before any model is loaded."""
    told = CliRunner().invoke(root, ["fool", "--model", "digit-finder", "--vary", "shape_pairs=3"])
    assert told.exit_code == 2
    assert "shape_pairs=0..10" in told.output

"""Images of MNIST Large Scale over HTTP: tiles, downloads, and what is no part of them."""

from __future__ import annotations

import json

import cv2
import httpx
import numpy as np
import pytest

from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.inference.open_image import open_image
from umnist_core.inference.requests import DigitImage, PredictRequest
from umnist_core.server.inference.images import find_image

QUERY = "preset=large-scale&index=3&scale=2&slope=0.05"
REF = DigitRef.of({"scale": "2", "slope": "0.05"}, index=3)


def test_tile_and_download_are_the_image(client: httpx.Client) -> None:
    """Full resolution is one tile; PNG has the same pixels, the truth has scale and label."""
    for address in (f"scene_files/7/0_0.png?{QUERY}&tile=1024", f"scene.png?{QUERY}"):
        reply = client.get(f"/tiles/{address}")
        assert reply.status_code == 200
        image = cv2.imdecode(np.frombuffer(reply.content, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(image, REF.draw())
    truth = json.loads(client.get(f"/tiles/scene.json?{QUERY}").content)
    assert (truth["label"], truth["scale"], truth["side_px"]) == (REF.label, 2, 56)
    assert 'Width="112"' in client.get(f"/tiles/scene.dzi?{QUERY}").text


def test_address_is_asked_about_again(client: httpx.Client) -> None:
    """Its pin does not name the numbers of the rescaling."""
    assert client.get(f"/tiles/scene.dzi?{QUERY}").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"{QUERY}&view=noise_free", "has no parts"),
        (f"{QUERY}&rotation=3", "no parameter rotation of the preset large-scale"),
        ("preset=released&scale=2", "no parameter scale of the preset released"),
        ("preset=large-scale&index=99999999", "has the digits 0 to"),
    ],
)
def test_what_it_has_not_is_refused(client: httpx.Client, query: str, said: str) -> None:
    """With the sentence that says why."""
    reply = client.get(f"/tiles/scene.dzi?{query}")
    assert reply.status_code == 422
    assert said in reply.text


def test_model_is_given_the_same_image() -> None:
    """Through the pipe to its process, too."""
    image, pixels = find_image(f"/tiles/scene.dzi?{QUERY}")
    assert (image, pixels) == (DigitImage(REF), 112**2)
    request = PredictRequest("fov-max", "cpu", image)
    again = PredictRequest.from_dict(json.loads(json.dumps(request.to_dict())))
    assert again == request
    source, scene = open_image(again.image)
    np.testing.assert_array_equal(source.read_whole(), REF.draw())
    assert scene is None

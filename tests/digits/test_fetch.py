"""Downloading MNIST, from mirrors on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.digits.conftest import Mirror
from tests.digits.idx_files import TRAIN_NAMES, random_digits, write_idx, write_mnist
from umnist_core.digits import find_digits
from umnist_core.digits.fetch import MIRRORS, fetch_mnist
from umnist_core.errors import DamagedFileError, NetworkError, WriteError
from umnist_core.settings import load_settings

MakeMirror = Callable[[dict[str, bytes]], Mirror]
Files = dict[str, bytes]

PATIENT_S = 60.0
"""A timeout for mirrors that answer; no test waits for it."""


def dead_url() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/mnist/"


def network_sentence(data_dir: Path, mirrors: list[str], timeout_s: float = PATIENT_S) -> str:
    """Return the one line with which the download fails; nothing is left in the data folder."""
    with pytest.raises(NetworkError) as caught:
        fetch_mnist(data_dir, timeout_s=timeout_s, mirrors=mirrors)
    assert list(data_dir.iterdir()) == []
    message = str(caught.value)
    assert "\n" not in message
    assert "UMNIST_DIGITS" in message
    return message


def with_file(files: Files, data: bytes) -> Files:
    """Return ``files`` with the training labels, which are not asked for first, replaced."""
    return files | {f"{TRAIN_NAMES[1]}.gz": data}


def test_fetch_brings_all_four_files_whole(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """What is fetched is the original, byte for byte, and is then what is used."""
    data_dir = tmp_path / "deep" / "data"
    folder = fetch_mnist(data_dir, timeout_s=PATIENT_S, mirrors=[make_mirror(original).url])
    assert folder == data_dir / "mnist"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == original
    assert [path.name for path in data_dir.iterdir()] == ["mnist"]
    assert find_digits(load_settings({"UMNIST_DATA": str(data_dir)})).is_official


def test_fetch_of_what_is_there_asks_nobody(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """The second call downloads nothing."""
    mirror = make_mirror(original)
    fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[mirror.url])
    mirror.asked.clear()
    fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[mirror.url])
    assert mirror.asked == []


def test_fetch_completes_a_folder_and_keeps_what_it_has(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """Only missing files are asked for; a plain copy counts as there."""
    folder = write_mnist(tmp_path / "data" / "mnist", suffix="")
    (folder / TRAIN_NAMES[1]).unlink()
    mirror = make_mirror(original)
    fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[mirror.url])
    assert mirror.asked == [f"HEAD {TRAIN_NAMES[1]}.gz", f"GET {TRAIN_NAMES[1]}.gz"]
    assert len(list(folder.iterdir())) == 4


def test_fetch_accepts_files_packed_differently(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """A mirror may pack the same digits anew, or send them unpacked."""
    labels = gzip.decompress(original[f"{TRAIN_NAMES[1]}.gz"])
    for number, data in enumerate((gzip.compress(labels, 1), labels)):
        mirror = make_mirror(with_file(original, data))
        fetch_mnist(tmp_path / str(number), timeout_s=PATIENT_S, mirrors=[mirror.url])
        settings = load_settings({"UMNIST_DATA": str(tmp_path / str(number))})
        assert find_digits(settings).is_official


def test_fetch_passes_over_a_dead_and_a_silent_mirror(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """A good mirror is used at once, whatever stands before it in the list."""
    silent = make_mirror(original)
    silent.head_gate.clear()
    good = make_mirror(original)
    fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[dead_url(), silent.url, good.url])
    assert len(good.asked) == 5
    assert not silent.sent.is_set()


def test_fetch_turns_to_the_next_mirror_after_a_damaged_file(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """Nothing of a mirror that gave damaged bytes is kept."""
    damaged = make_mirror(with_file(original, original[f"{TRAIN_NAMES[1]}.gz"][:-5]))
    good = make_mirror(original)
    good.head_gate = damaged.sent  # the good one answers only after the damaged one was used
    folder = fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[damaged.url, good.url])
    assert f"GET {TRAIN_NAMES[1]}.gz" in damaged.asked
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == original


@pytest.mark.usefixtures("original")
def test_fetch_without_network_fails_in_one_sentence(tmp_path: Path) -> None:
    """When nobody can be reached, the sentence says what to do without a network."""
    message = network_sentence(tmp_path / "data", [dead_url(), dead_url()])
    assert "copy the four files from elsewhere" in message


def test_fetch_says_of_each_mirror_why_it_failed(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """Dead, without the file, damaged, another set, broken off: one sentence tells all."""
    labels = write_idx(tmp_path / "other.gz", random_digits(30, seed=5)[1]).read_bytes()
    short = make_mirror(original)
    short.cut = 10
    mirrors = [
        dead_url(),
        make_mirror({}).url,
        make_mirror(with_file(original, b"<html>Please log in</html>")).url,
        make_mirror(with_file(original, labels)).url,
        short.url,
    ]
    message = network_sentence(tmp_path / "data", mirrors)
    assert "one of 5 mirrors" in message
    assert message.count("127.0.0.1 could not be reached or broke off") == 2
    assert "127.0.0.1 answered with status 404" in message
    assert f"127.0.0.1 gave a damaged {TRAIN_NAMES[1]}.gz" in message
    assert f"127.0.0.1 gave a {TRAIN_NAMES[1]}.gz with another checksum" in message


@pytest.mark.parametrize("gate", ["head_gate", "get_gate"])
def test_fetch_gives_up_on_a_silent_mirror_after_the_timeout(
    tmp_path: Path, original: Files, make_mirror: MakeMirror, gate: str
) -> None:
    """Silence from the start, or after a first answer, ends in a sentence."""
    silent = make_mirror(original)
    getattr(silent, gate).clear()
    message = network_sentence(tmp_path / "data", [silent.url], timeout_s=0.2)
    assert "within 0.2 s" in message


@pytest.mark.usefixtures("original")
def test_fetch_gives_up_on_an_answer_that_never_ends(tmp_path: Path) -> None:
    """Each piece comes in time, but the first answer is not whole within the timeout."""
    stopped = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
            for _ in range(200):
                connection.sendall(b".")
                if stopped.wait(0.05):
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/mnist/"
        try:
            assert "no answer within 0.3 s" in network_sentence(
                tmp_path / "data", [url], timeout_s=0.3
            )
        finally:
            stopped.set()
            dripping.join()


def test_fetch_leaves_alone_a_file_that_is_not_the_original(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """Somebody's own digits are not overwritten; the sentence says what to do."""
    folder = write_mnist(tmp_path / "data" / "mnist")
    own = write_idx(folder / f"{TRAIN_NAMES[0]}.gz", random_digits(30, seed=6)[0])
    content = own.read_bytes()
    mirror = make_mirror(original)
    with pytest.raises(DamagedFileError, match=f"{TRAIN_NAMES[0]}.gz: .* move it away"):
        fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[mirror.url])
    assert own.read_bytes() == content
    assert mirror.asked == []


def test_fetch_into_a_place_that_cannot_be_written_says_so(
    tmp_path: Path, original: Files, make_mirror: MakeMirror
) -> None:
    """A data folder that cannot be made is no network trouble."""
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(WriteError, match="UMNIST_DATA"):
        fetch_mnist(tmp_path / "data", timeout_s=PATIENT_S, mirrors=[make_mirror(original).url])


def test_fetch_draws_a_bar_only_when_asked(
    tmp_path: Path,
    original: Files,
    make_mirror: MakeMirror,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Standard error shows each file by name, or nothing."""
    mirror = make_mirror(original)
    fetch_mnist(tmp_path / "quiet", timeout_s=PATIENT_S, mirrors=[mirror.url])
    assert capfd.readouterr() == ("", "")
    fetch_mnist(tmp_path / "shown", progress=True, timeout_s=PATIENT_S, mirrors=[mirror.url])
    shown = capfd.readouterr().err
    assert all(f"{name}: 100%" in shown for name in original)


def test_fetch_knows_several_mirrors_that_cannot_be_tampered_with() -> None:
    """Each is a folder reached over an encrypted connection."""
    assert len(MIRRORS) > 1
    assert all(url.startswith("https://") and url.endswith("/") for url in MIRRORS)

"""``clearway replay``: what the control lines do, and what a question tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clearway.cli.replay import HELP, answer
from clearway.kernel.clock import iso
from clearway.operations.playback import Playback
from tests.desks.world import AT
from tests.operations.loop import ICE, Play, open_play


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Two hours of ice."""
    played = open_play(tmp_path_factory.mktemp("replay"), lambda hour: ICE)
    yield played
    played.journal.close()


def test_lines_control_the_player(play: Play) -> None:
    """Pause, go on, speed, jump ahead but not back, end; nonsense changes nothing and is told so."""
    player = Playback(play.session, AT, AT + timedelta(hours=2), speed=3600)
    assert answer("p", player, play.session) == "paused"
    assert player.paused
    assert answer("p", player, play.session) == "going on"
    assert answer("s 0", player, play.session) == "speed 0"
    assert "cannot be negative" in answer("s -1", player, play.session)
    assert "not understood" in answer("s fast", player, play.session)
    assert "cannot go back" in answer(f"j {iso(AT - timedelta(hours=1))}", player, play.session)
    assert "playing on" in answer(f"j {iso(AT + timedelta(hours=1))}", player, play.session)
    assert "not an ISO" in answer("j tomorrow", player, play.session)
    assert answer("?", player, play.session) == HELP
    answer("q", player, play.session)
    assert list(player) == []


def test_a_question_is_asked_of_the_last_hour(play: Play) -> None:
    """Before an hour was played there is nothing to ask; then a change reaches the desks that read it."""
    player = Playback(play.session, AT, AT)
    assert "no hour" in answer("w warmer 3", player, play.session)
    assert len(list(player)) == 1
    told = answer("w warmer 3", player, play.session)
    assert told.startswith("what if:")
    assert "desks run again" in told
    assert "what if" in answer("w salt Second Ring 20", player, play.session)
    assert "not understood" in answer("w salt Nowhere 20", player, play.session)
    assert "not understood" in answer("w colder", player, play.session)


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """The demo never empties a folder it did not write."""
    from clearway.cli.demo import _empty
    from clearway.kernel.errors import InputError

    letter = tmp_path / "letter.txt"
    letter.write_text("keep me")
    with pytest.raises(InputError, match="not an earlier demo run"):
        _empty(tmp_path)
    assert letter.exists()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "demo-key.pem").write_text("x")
    _empty(tmp_path)
    assert not tmp_path.exists()
    _empty(tmp_path)

import re
import stat
from pathlib import Path

import pytest

from perdure.bootstrap.admin_key import admin_key
from perdure.bootstrap.settings import SettingsError


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_first_start_makes_one_and_keeps_it(tmp_path: Path) -> None:
    made, fresh = admin_key(tmp_path, None)
    assert fresh
    assert re.fullmatch(r"prd_[A-Za-z0-9_-]{43}", made)
    assert (tmp_path / "admin.key").read_text() == made + "\n"
    assert mode(tmp_path / "admin.key") == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["admin.key"]
    assert admin_key(tmp_path, None) == (made, False)


def test_keys_differ(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert admin_key(tmp_path, None) != admin_key(tmp_path / "other", None)


def test_one_that_is_given_counts_and_is_not_kept(tmp_path: Path) -> None:
    assert admin_key(tmp_path, "given") == ("given", False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "admin.key"
    file.write_text("prd_mine")
    file.chmod(0o644)
    assert admin_key(tmp_path, None) == ("prd_mine", False)
    assert mode(file) == 0o600


def test_what_a_crash_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "admin.new").write_text("half")
    made, fresh = admin_key(tmp_path, None)
    assert fresh
    assert made != "half"


@pytest.mark.parametrize("content", [b"", b"\n", b"two keys", b"\xff\xfe"])
def test_a_file_without_a_key_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "admin.key").write_bytes(content)
    with pytest.raises(SettingsError, match=r"admin\.key"):
        admin_key(tmp_path, None)


def test_a_folder_that_cannot_keep_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neither read nor kept"):
        admin_key(tmp_path / "missing", None)

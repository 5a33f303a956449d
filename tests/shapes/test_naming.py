"""Names of regions: read from what people keep them in, and refused where they make no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from segment.errors import FileError, InputError
from segment.shapes.naming import Naming, check_names, read_names


@pytest.mark.parametrize(
    "text",
    [
        "label,name\n1,sky\n3,sea\n2,\n",
        "\ufefflabel,area,name\r\n3,7,sea\r\n1,9, sky \r\n2,8,\r\n",
        json.dumps({"3": "sea", "1": "sky"}),
        json.dumps(["sky", "", "sea"]),
        json.dumps({"classes": [{"name": "sky"}, {"name": ""}, {"name": "sea"}]}),
    ],
)
def test_names_are_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_names(path) == {1: "sky", 3: "sea"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names are empty"),
        (b"label,what\n1,sky\n", "neither of the two"),
        (b"label,name\nfirst,sky\n", "have the label 'first'"),
        (b"label,name\n0,sky\n", "have the label '0'"),
        (b"[1, 2]", "call label 1 1"),
        (b'{"1": null}', "call label 1 None"),
        (b'{"1": "sky"', "neither of the two"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_what_is_no_names_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read_names(path)
    assert "names.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="no such file"):
        read_names(tmp_path / "none.csv")


def test_labels_and_names_are_checked() -> None:
    assert check_names({"2": "a", 7: " b "}) == {2: "a", 7: "b"}
    for names in ({}, {1: " "}):
        with pytest.raises(InputError, match="empty"):
            check_names(names)


def test_categories_have_the_same_numbers_in_every_picture() -> None:
    naming = Naming({5: "sea", 1: "sky", 2: "sea"}, "other")
    assert [naming.of(k) for k in (1, 2, 3)] == ["sky", "sea", "other"]
    for labels, last in (([1, 5], []), ([1, 4], ["other"]), ([], [])):
        assert naming.categories(labels) == ["sky", "sea", *last]
    assert Naming().categories([]) == Naming().categories([3]) == ["region"]
    assert Naming({1: "region"}).categories([2]) == ["region"]
    unnamed: Any = Naming(category="cell")
    assert unnamed.categories([1, 2]) == ["cell"]
